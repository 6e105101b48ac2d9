// The regularised Wasserstein distance against its definition as a minimum, and the search for the worst neighbour.
#include "vaeguard/training/smooth_encoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/training/tiny_vae.h"
#include "vaeguard/base/error.h"

namespace vaeguard::training {
namespace {

using Code = std::vector<float>;

double distance(const Code& a, const Code& b, double gamma) { return regularised_wasserstein(a, b, gamma, {}, {}); }

// What is minimised over psi for one dimension, in the variances S_a and S_b.
double with_covariance(double gap, double s_a, double s_b, double gamma, double psi) {
  return 0.5 * gamma * (gap * gap + s_a + s_b - 2.0 * psi) - 0.5 * std::log(s_a * s_b - psi * psi);
}

TEST(SmoothEncoder, DistanceIsTheMinimumOverCouplings) {
  for (const double gamma : {0.1, 1.0, 30.0}) {
    for (const auto& [gap, log_a, log_b] : {std::array{0.0F, 0.0F, 0.0F}, {1.5F, -2.0F, 0.5F}, {-0.3F, -5.0F, -4.0F}}) {
      const double s_a = std::exp(static_cast<double>(log_a));
      const double s_b = std::exp(static_cast<double>(log_b));
      const double bound = std::sqrt(s_a * s_b);  // |psi| stays below
      double least = std::numeric_limits<double>::infinity();
      for (int i = -99999; i < 100000; ++i) {
        least = std::min(least, with_covariance(gap, s_a, s_b, gamma, bound * i / 1e5));
      }
      const double found = distance({gap, log_a}, {0.0F, log_b}, gamma);
      EXPECT_LE(found, least + 1e-9) << "no coupling on the grid is better";
      // A grid of step 1e-5 misses the minimum by the curvature times 1e-10, which near |psi| = bound is large.
      EXPECT_NEAR(found, least, 1e-4 * (1.0 + std::abs(least))) << gamma << " " << gap;
    }
  }
}

// For large gamma, 2 / gamma times the distance tends to the squared Wasserstein distance, and the entropy's part,
// some log(gamma) / gamma, to nothing.
TEST(SmoothEncoder, LargeGammaGivesTheWassersteinDistance) {
  const double gamma = 1e7;
  const double found = 2.0 / gamma * distance({2.0F, 2.0F * std::log(3.0F)}, {0.5F, 0.0F}, gamma);
  EXPECT_NEAR(found, 1.5 * 1.5 + 2.0 * 2.0, 1e-5);
}

TEST(SmoothEncoder, GradientsAgreeWithDifferences) {
  Code a{0.3F, -1.2F, 0.5F, -3.0F};
  Code b{-0.4F, 0.7F, -1.0F, -2.0F};
  Code by_a(4);
  Code by_b(4);
  for (const double gamma : {0.2, 5.0}) {
    regularised_wasserstein(a, b, gamma, by_a, by_b);
    for (const auto& [code, gradient] : {std::pair(&a, &by_a), std::pair(&b, &by_b)}) {
      for (std::size_t i = 0; i < 4; ++i) {
        const float kept = (*code)[i];
        (*code)[i] = kept + 0x1p-10F;
        const double above = (*code)[i];
        const double up = distance(a, b, gamma);
        (*code)[i] = kept - 0x1p-10F;
        const double slope = (up - distance(a, b, gamma)) / (above - (*code)[i]);
        (*code)[i] = kept;
        EXPECT_NEAR((*gradient)[i], slope, 1e-5 * (1.0 + std::abs(slope)));
      }
    }
  }
}

struct Search {
  models::VaeWeights vae = tiny_vae();
  std::unique_ptr<networks::TrainableNetwork> encoder = networks::compile_trainable(vae.encoder);
  Matrix images = tiny_images(6, Key(1)).pixels;
  std::vector<Key> keys;
  Matrix encoded;

  Search() {
    for (std::uint64_t b = 0; b < 6; ++b) {
      keys.push_back(Key(9).fold(b));
    }
    encoded = networks::forward_all(*encoder, images, 1);
  }
  double found(const SmoothEncoderOptions& options, EncoderPass& pass) const {
    Matrix ignored(6, encoded.columns());
    return add_smooth_penalty(*encoder, images, encoded, keys, options, pass, ignored, {});
  }
};

TEST(SmoothEncoder, NeighboursStayInTheBallAndAmongImages) {
  const Search search;
  EncoderPass pass;
  search.found({.radius = 0.2}, pass);
  std::int64_t moved = 0;
  for (std::size_t i = 0; i < pass.images.values().size(); ++i) {
    const float pixel = pass.images.values()[i];
    const float image = search.images.values()[i];
    EXPECT_LE(std::abs(pixel - image), 0.2F + 1e-6F);
    EXPECT_TRUE(pixel >= 0.0F && pixel <= 1.0F);
    moved += std::abs(pixel - image) > 0.19F ? 1 : 0;
  }
  EXPECT_GT(moved, 40) << "an ascent ends on the border of the ball in many pixels";
}

TEST(SmoothEncoder, MoreStepsAndLargerBallsFindFartherNeighbours) {
  const Search search;
  EncoderPass pass;
  const double one = search.found({.radius = 0.1, .steps = 1}, pass);
  const double ten = search.found({.radius = 0.1, .steps = 10}, pass);
  const double far = search.found({.radius = 0.3, .steps = 10}, pass);
  EXPECT_GT(ten, one);
  EXPECT_GT(far, ten);
}

TEST(SmoothEncoder, ANeighbourDependsOnItsImageAndKeyAlone) {
  const Search search;
  EncoderPass all;
  find_fictive(*search.encoder, search.images, search.encoded, search.keys, {}, all);
  for (std::int64_t b = 0; b < 6; ++b) {
    EncoderPass one;
    find_fictive(*search.encoder, search.images.slice(b, 1), search.encoded.slice(b, 1),
                 std::span(search.keys).subspan(static_cast<std::size_t>(b), 1), {}, one);
    EXPECT_EQ(one.images, all.images.slice(b, 1));
  }
}

TEST(SmoothEncoder, RefusesOptionsThatMakeNoSense) {
  EXPECT_THROW((SmoothEncoderOptions{.gamma = 0.0}.validate()), Misuse);
  EXPECT_THROW((SmoothEncoderOptions{.radius = 1.5}.validate()), Misuse);
  EXPECT_THROW((SmoothEncoderOptions{.steps = 0}.validate()), Misuse);
}

}  // namespace
}  // namespace vaeguard::training
