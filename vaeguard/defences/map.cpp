// Adam over chunks of images, and L-BFGS image by image.
#include "vaeguard/defences/map.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/base/progress.h"
#include "vaeguard/defences/descent.h"

namespace vaeguard::defences {
namespace {

constexpr std::int64_t kImagesAtOnce = 16;

class Map : public Defence {
 public:
  explicit Map(const MapOptions& options) : options_(options) { validate(options); }
  [[nodiscard]] std::string_view name() const override { return options_.name; }

  [[nodiscard]] Inference infer(const models::Vae& vae, const Matrix& images, std::span<const Key> keys, int threads,
                                Observer& observer) const override {
    check_keys("defences.map", images, keys);
    const Problem problem = read_images(vae, images, options_.reading, threads);
    Inference result;
    result.mean = vae.encode(problem.images, threads).mean;
    const auto before = values_of(*problem.energy, result.mean, threads);
    std::vector<double> spent(static_cast<std::size_t>(images.rows()), options_.gradients);
    Progress progress(observer, options_.name, images.rows());
    parallel_chunks(images.rows(), row_chunk(images.rows(), kImagesAtOnce, threads), threads,
                    [&](std::int64_t first, std::int64_t count) {
                      progress.pause_for_interruption();
                      descend(*problem.energy, first, count, result.mean, spent);
                      progress.advance(count);
                    });
    const auto after = values_of(*problem.energy, result.mean, threads);
    result.draw = result.mean;
    result.mean_reconstruction = vae.decode(result.mean, threads);
    result.gradients = std::accumulate(spent.begin(), spent.end(), 0.0) / static_cast<double>(spent.size());
    std::ranges::transform(before, after, std::back_inserter(result.energy_drop), std::minus<>{});
    if (problem.observation != nullptr) {
      result.reencoded = vae.encode(expected_images(vae, *problem.observation, 0, result.mean, threads), threads).mean;
      result.radius = problem.radii;
      result.touched = problem.touched;
    }
    return result;
  }

 private:
  void descend(const ScalarField& energy, std::int64_t first, std::int64_t count, Matrix& latents,
               std::vector<double>& spent) const {
    if (options_.optimiser == Optimiser::adam) {
      Matrix chunk = latents.slice(first, count);
      descend_adam(energy, first, {.gradients = options_.gradients, .learning_rate = options_.learning_rate}, chunk);
      latents.assign(first, chunk);
      return;
    }
    for (std::int64_t b = first; b < first + count; ++b) {
      spent[static_cast<std::size_t>(b)] = descend_lbfgs(energy, b, options_.gradients, latents.row(b));
    }
  }

  MapOptions options_;
};

}  // namespace

void validate(const MapOptions& options) {
  if (options.gradients < 1) {
    misuse("defences.map", "gradients must be at least 1, got {}", options.gradients);
  }
  if (!std::isfinite(options.learning_rate) || options.learning_rate <= 0.0) {
    misuse("defences.map", "learning_rate must be finite and > 0, got {}", options.learning_rate);
  }
  validate(options.reading);
}

std::unique_ptr<Defence> make_map(const MapOptions& options) { return std::make_unique<Map>(options); }

}  // namespace vaeguard::defences
