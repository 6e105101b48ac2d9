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
// Scales under which images are expected: the first, and then twice what was found, since an attack moves pixels
// together where noise moves each by itself. Of less, the first spoilt code would not be forgotten.
constexpr double kFirstScale = 0.2;
constexpr double kScaleOfNoise = 2.0;
constexpr double kSmallestScale = 0.1;

// The images of one chunk while they are repaired.
class Repair {
 public:
  Repair(const models::Vae& vae, const Matrix& images)
      : vae_(vae),
        images_(images),
        repaired_{Matrix(images.rows(), images.columns()),
                  std::vector<double>(static_cast<std::size_t>(images.rows()), kFirstScale / kScaleOfNoise)},
        outputs_(images.rows(), images.columns()),
        tape_(vae.generative().make_tape()) {}

  NoiseRepaired run(const models::PixelLaw& histogram, int passes) {
    expect(histogram);
    for (int pass = 0; pass < passes; ++pass) {
      vae_.generative().forward(vae_.encode(repaired_.images).mean, outputs_, {}, *tape_);
      expect(*vae_.pixel_law());
    }
    return std::move(repaired_);
  }

 private:
  void expect(const models::PixelLaw& law) {
    for (std::int64_t b = 0; b < images_.rows(); ++b) {
      double& noise = repaired_.noise[static_cast<std::size_t>(b)];
      const double scale = std::max(kScaleOfNoise * noise, kSmallestScale);
      noise =
          std::sqrt(energy::expect_under_noise(law, scale, images_.row(b), outputs_.row(b), repaired_.images.row(b)));
    }
  }

  const models::Vae& vae_;
  const Matrix& images_;
  NoiseRepaired repaired_;
  Matrix outputs_;
  std::unique_ptr<networks::Tape> tape_;
};

}  // namespace

NoiseRepaired repair_noise(const models::Vae& vae, const Matrix& images, int passes, int threads) {
  const models::PixelLaw histogram = models::histogram_alone(*pixel_law_of(vae, kPlace));
  check_shape(kPlace, "images", images, -1, vae.image().size());
  check_finite(kPlace, "images", images);
  NoiseRepaired result{Matrix(images.rows(), images.columns()),
                       std::vector<double>(static_cast<std::size_t>(images.rows()))};
  parallel_chunks(images.rows(), row_chunk(images.rows(), kImagesAtOnce, threads), threads,
                  [&](std::int64_t first, std::int64_t count) {
                    const Matrix chunk = images.slice(first, count);
                    const NoiseRepaired repaired = Repair(vae, chunk).run(histogram, passes);
                    result.images.assign(first, repaired.images);
                    std::ranges::copy(repaired.noise, result.noise.begin() + first);
                  });
  return result;
}

}  // namespace vaeguard::defences
