// Writes what a defence inferred to .npz files and reads it back.
#pragma once

#include <filesystem>
#include <vector>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/base/npz.h"
#include "vaeguard/defences/defence.h"

namespace vaeguard::runs {

NpzArray to_array(const Matrix& matrix);
/// Images as an array [rows, C, H, W].
NpzArray to_array(const Matrix& images, ImageShape shape);
NpzArray to_array(const std::vector<double>& values);
/// The named array as a matrix with a row for each first index, [N, C, H, W] as [N, P]. Throws Misuse unless the array
/// exists, holds floats and has at least two dimensions.
Matrix rows_from(const std::map<std::string, NpzArray>& arrays, const std::string& name, std::string_view place);

/// Adds what a reader may want to know of the chains, if there were any: z_variance [B, D]; and of the K first
/// divergences that were kept, if any, divergence_image, _chain, _transition, _step_size and _energy_error [K],
/// _position, _momentum and _end [K, D] (mcmc::Divergence), numbers as floats.
void add_chains(NpzArrays& arrays, const defences::Inference& inference);

/// Saves the inference of some images and the seconds that it took as one file.
void save_inference(const std::filesystem::path& file, const defences::Inference& inference, double seconds);
defences::Inference load_inference(const std::filesystem::path& file, double& seconds);

/// Appends the rows of `part` to those of `whole`; both must come from the same defence.
void append(defences::Inference& whole, const defences::Inference& part);

}  // namespace vaeguard::runs
