// Writes the arrays that galleries and maps are drawn from.
#include "vaeguard/runs/cell_arrays.h"

#include <algorithm>

#include "vaeguard/base/npz.h"
#include "vaeguard/runs/inference_file.h"

namespace vaeguard::runs {
namespace {

constexpr std::int64_t kMapImages = 2000;  // more would hide the codes drawn over them

}  // namespace

void write_cell_arrays(const std::filesystem::path& file, const measures::Subject& subject,
                       const measures::References& references, const measures::Outcome& outcome, int threads) {
  const models::Encoding attacked = subject.vae.encode(outcome.adversarial, threads);
  const auto repeat = [&](const Matrix& matrix) { return to_array(repeat_rows(matrix, outcome.restarts)); };
  const std::int64_t rows = outcome.adversarial.rows();
  std::vector<std::int64_t> labels;
  std::vector<std::int64_t> index;
  for (std::int64_t row = 0; row < rows; ++row) {
    labels.push_back(references.images.labels[static_cast<std::size_t>(row / outcome.restarts)]);
    index.push_back(references.index[static_cast<std::size_t>(row / outcome.restarts)]);
  }
  write_npz(file, {{"x_ref", repeat(references.images.pixels)},
                   {"x_adv", to_array(outcome.adversarial)},
                   {"rec_ref", repeat(references.mean_reconstruction)},
                   {"rec_adv", to_array(subject.vae.decode(attacked.mean, threads))},
                   {"rec_defended", to_array(outcome.inference.mean_reconstruction)},
                   {"z_ref", repeat(references.encoding.mean)},
                   {"z_adv", to_array(attacked.mean)},
                   {"z_defended", to_array(outcome.inference.mean)},
                   {"z_defended_draw", to_array(outcome.inference.draw)},
                   {"label", {{rows}, labels}},
                   {"index", {{rows}, index}}});
}

void write_latent_map(const std::filesystem::path& file, const measures::Subject& subject, const data::Images& images,
                      int threads) {
  const std::int64_t count = std::min(kMapImages, images.pixels.rows());
  write_npz(file, {{"z", to_array(subject.vae.encode(images.pixels.slice(0, count), threads).mean)},
                   {"label", {{count}, std::vector(images.labels.begin(), images.labels.begin() + count)}}});
}

}  // namespace vaeguard::runs
