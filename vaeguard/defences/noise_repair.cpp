// Encoder and pixel law in turns under Gaussian noise, over chunks of images.
#include "vaeguard/defences/noise_repair.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "vaeguard/base/parallel.h"
#include "vaeguard/defences/observation_model.h"
#include "vaeguard/energy/observation.h"

namespace vaeguard::defences {
namespace {

constexpr std::string_view kPlace = "defences.noise_repair";
constexpr std::int64_t kImagesAtOnce = 32;
// Under which images are expected: with less, the first spoilt code would not be forgotten.
constexpr double kScale = 0.2;
// Steps of expectation maximisation for the noise at the last code, from half that scale. Pixels of which the law knows
// little slow them down, but what is sought need not be exact.
constexpr int kSteps = 6;

// The images of one chunk while they are repaired.
class Repair {
 public:
  Repair(const models::Vae& vae, const Matrix& images)
      : vae_(vae),
        images_(images),
        expected_(images.rows(), images.columns()),
        outputs_(images.rows(), images.columns()),
        tape_(vae.generative().make_tape()) {}

  void run(const models::PixelLaw& histogram, int passes) {
    expect(histogram);
    for (int pass = 0; pass < passes; ++pass) {
      vae_.generative().forward(vae_.encode(expected_).mean, outputs_, {}, *tape_);
      expect(*vae_.pixel_law());
    }
  }

  [[nodiscard]] const Matrix& expected() const { return expected_; }

  // Of row b, at the code of the last expectation.
  [[nodiscard]] double noise(std::int64_t b) const {
    std::vector<float> unused(static_cast<std::size_t>(images_.columns()));
    double noise = 0.5 * kScale;
    for (int step = 0; step < kSteps; ++step) {
      noise = std::sqrt(energy::expect_under_noise(*law_, noise, images_.row(b), outputs_.row(b), unused));
    }
    return noise;
  }

 private:
  void expect(const models::PixelLaw& law) {
    law_ = &law;
    for (std::int64_t b = 0; b < images_.rows(); ++b) {
      energy::expect_under_noise(law, kScale, images_.row(b), outputs_.row(b), expected_.row(b));
    }
  }

  const models::Vae& vae_;
  const Matrix& images_;
  Matrix expected_;
  Matrix outputs_;
  std::unique_ptr<networks::Tape> tape_;
  const models::PixelLaw* law_ = nullptr;  // of the last expectation
};

}  // namespace

NoiseRepaired repair_noise(const models::Vae& vae, const Matrix& images, const NoiseRepairOptions& options,
                           int threads) {
  const models::PixelLaw histogram = models::histogram_alone(*pixel_law_of(vae, kPlace));
  check_shape(kPlace, "images", images, -1, vae.image().size());
  check_finite(kPlace, "images", images);
  NoiseRepaired result{Matrix(images.rows(), images.columns()), {}};
  result.noise.resize(options.finds_noise ? static_cast<std::size_t>(images.rows()) : 0);
  parallel_chunks(images.rows(), row_chunk(images.rows(), kImagesAtOnce, threads), threads,
                  [&](std::int64_t first, std::int64_t count) {
                    const Matrix chunk = images.slice(first, count);
                    Repair repair(vae, chunk);
                    repair.run(histogram, options.passes);
                    result.images.assign(first, repair.expected());
                    for (std::int64_t b = 0; b < count && options.finds_noise; ++b) {
                      result.noise[static_cast<std::size_t>(first + b)] = repair.noise(b);
                    }
                  });
  return result;
}

}  // namespace vaeguard::defences
