// The arrays behind a run's pictures, as .npz files: the references, what a defence made of a cell, a map of the codes.
#pragma once

#include <filesystem>
#include <string>

#include "vaeguard/data/dataset.h"
#include "vaeguard/measures/measure.h"
#include "vaeguard/runs/run_folder.h"

namespace vaeguard::runs {

/// Writes what all cells of a model share: the references x_ref, rec_ref [n, C, H, W], z_ref [n, D], index [n] in the
/// test set, label [n] if there are classes; and, for a model with two latents, the encoder's means of the first 2,000
/// test images: z [m, 2], label likewise.
void write_model_arrays(const RunFolder& folder, const std::string& prefix, const measures::Subject& subject,
                        const measures::References& references, const data::Images& test, int threads);

/// Writes what a defence made of a cell's images, one row per restart of each reference: rec_defended [N, C, H, W];
/// z_defended, z_defended_draw [N, D]; reference [N], a row of the references' file, and restart [N]; and what
/// add_chains says of its chains.
void write_cell_arrays(const std::filesystem::path& file, const measures::Subject& subject,
                       const measures::Outcome& outcome);

}  // namespace vaeguard::runs
