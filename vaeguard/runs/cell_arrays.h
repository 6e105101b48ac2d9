// The arrays behind a run's pictures, as .npz files: images and codes of each cell, and the map of a plane of codes.
#pragma once

#include <filesystem>

#include "vaeguard/data/dataset.h"
#include "vaeguard/measures/measure.h"

namespace vaeguard::runs {

/// Images, reconstructions and codes of a cell, a row for each restart of each reference: x_ref, x_adv, rec_ref,
/// rec_adv, rec_defended [N, P]; z_ref, z_adv, z_defended, z_defended_draw [N, D]; label, index [N].
void write_cell_arrays(const std::filesystem::path& file, const measures::Subject& subject,
                       const measures::References& references, const measures::Outcome& outcome, int threads);

/// The means that the encoder gives the first 2,000 images: z [n, D], label [n]. Drawn where D = 2.
void write_latent_map(const std::filesystem::path& file, const measures::Subject& subject, const data::Images& images,
                      int threads);

}  // namespace vaeguard::runs
