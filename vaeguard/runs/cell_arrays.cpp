// Writes the arrays from which galleries and maps are drawn.
#include "vaeguard/runs/cell_arrays.h"

#include <algorithm>
#include <vector>

#include "vaeguard/base/npz.h"
#include "vaeguard/runs/inference_file.h"

namespace vaeguard::runs {
namespace {

constexpr std::int64_t kMapImages = 2000;  // more would hide the codes drawn over them

void add_labels(NpzArrays& arrays, const std::vector<std::int64_t>& labels, std::int64_t count) {
  if (!labels.empty()) {
    arrays.emplace("label", NpzArray{{count}, std::vector(labels.begin(), labels.begin() + count)});
  }
}

void write_references(const std::filesystem::path& file, const measures::Subject& subject,
                      const measures::References& references) {
  const ImageShape shape = subject.vae.image();
  const std::int64_t rows = references.images.pixels.rows();
  NpzArrays arrays{{"x_ref", to_array(references.images.pixels, shape)},
                   {"rec_ref", to_array(references.mean_reconstruction, shape)},
                   {"z_ref", to_array(references.encoding.mean)},
                   {"index", {{rows}, references.index}}};
  add_labels(arrays, references.images.labels, rows);
  write_npz(file, arrays);
}

void write_latent_map(const std::filesystem::path& file, const measures::Subject& subject, const data::Images& images,
                      int threads) {
  const std::int64_t count = std::min(kMapImages, images.pixels.rows());
  NpzArrays arrays{{"z", to_array(subject.vae.encode(MatrixView(images.pixels).slice(0, count), threads).mean)}};
  add_labels(arrays, images.labels, count);
  write_npz(file, arrays);
}

}  // namespace

void write_model_arrays(const RunFolder& folder, const std::string& prefix, const measures::Subject& subject,
                        const measures::References& references, const data::Images& test, int threads) {
  if (const auto file = folder.references(prefix); !exists(file)) {
    write_references(file, subject, references);
  }
  if (const auto file = folder.latent_map(prefix); subject.vae.latent_size() == 2 && !exists(file)) {
    write_latent_map(file, subject, test, threads);
  }
}

void write_cell_arrays(const std::filesystem::path& file, const measures::Subject& subject,
                       const measures::Outcome& outcome) {
  const std::int64_t rows = outcome.attacked.images.rows();
  std::vector<std::int64_t> reference;
  std::vector<std::int64_t> restart;
  for (std::int64_t row = 0; row < rows; ++row) {
    reference.push_back(row / outcome.restarts);
    restart.push_back(row % outcome.restarts);
  }
  NpzArrays arrays{{"rec_defended", to_array(outcome.inference.mean_reconstruction, subject.vae.image())},
                   {"z_defended", to_array(outcome.inference.mean)},
                   {"z_defended_draw", to_array(outcome.inference.draw)},
                   {"reference", {{rows}, reference}},
                   {"restart", {{rows}, restart}}};
  add_chains(arrays, outcome.inference);
  write_npz(file, arrays);
}

}  // namespace vaeguard::runs
