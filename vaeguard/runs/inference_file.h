// What a defence inferred, to and from .npz files: the unit of work that a killed run does not lose.
#pragma once

#include <filesystem>
#include <vector>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/base/npz.h"
#include "vaeguard/defences/defence.h"

namespace vaeguard::runs {

NpzArray to_array(const Matrix& matrix);
/// [rows, C, H, W].
NpzArray to_array(const Matrix& images, ImageShape shape);
NpzArray to_array(const std::vector<double>& values);
/// A matrix with a row for each first index of the named array, [N, P] of [N, C, H, W]. Throws Misuse unless there is
/// such an array of floats with at least two dimensions.
Matrix rows_from(const std::map<std::string, NpzArray>& arrays, const std::string& name, std::string_view place);

/// Inference of some images and the seconds it took, as one file.
void save_inference(const std::filesystem::path& file, const defences::Inference& inference, double seconds);
defences::Inference load_inference(const std::filesystem::path& file, double& seconds);

/// Puts the rows of `part` below those of `whole`; both come from one defence.
void append(defences::Inference& whole, const defences::Inference& part);

}  // namespace vaeguard::runs
