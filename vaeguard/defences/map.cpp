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
    std::vector<double> spent(static_cast<std::size_t>(images.rows()), gradients_per_image(options_));
    Progress progress(observer, options_.name, images.rows());
    parallel_chunks(images.rows(), row_chunk(images.rows(), kImagesAtOnce, threads), threads,
                    [&](std::int64_t first, std::int64_t count) {
                      progress.pause_for_interruption();
                      descend(*problem.energy, first,
                              keys.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
                              result.mean, spent);
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
  void descend(const ScalarField& energy, std::int64_t first, std::span<const Key> keys, Matrix& latents,
               std::vector<double>& spent) const {
    Matrix chunk = latents.slice(first, std::ssize(keys));
    const double rate = options_.learning_rate;
    if (options_.starts > 1) {
      descend_adam_from_several(energy, first, {options_.start_gradients, rate}, options_.starts, keys, chunk);
    }
    if (options_.optimiser == Optimiser::adam) {
      descend_adam(energy, first, {options_.gradients, rate}, chunk);
    } else {
      for (std::int64_t b = 0; b < chunk.rows(); ++b) {
        spent[static_cast<std::size_t>(first + b)] +=
            descend_lbfgs(energy, first + b, options_.gradients, chunk.row(b)) - options_.gradients;
      }
    }
    latents.assign(first, chunk);
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
  if (options.starts < 1 || options.start_gradients < 1) {
    misuse("defences.map", "starts and start_gradients must be at least 1, got {} and {}", options.starts,
           options.start_gradients);
  }
  validate(options.reading);
}

int gradients_per_image(const MapOptions& options) {
  return options.gradients + (options.starts > 1 ? gradients_from_several(options.start_gradients, options.starts) : 0);
}

std::unique_ptr<Defence> make_map(const MapOptions& options) { return std::make_unique<Map>(options); }

}  // namespace vaeguard::defences
