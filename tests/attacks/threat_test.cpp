// The threat's geometry: projection, random points and sizes, exactly as floats are measured.
#include "vaeguard/attacks/threat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

constexpr std::size_t kPixels = 4096;

std::vector<float> references() {
  std::vector<float> result(kPixels);
  fill_uniform(Key(1).fold("references"), 0.0F, 1.0F, result);
  // Digits are mostly black and white, and tiny values are where rounding of a difference is worst.
  for (std::size_t i = 0; i + 8 < kPixels; i += 8) {
    result[i] = 0.0F;
    result[i + 1] = 1.0F;
    result[i + 2] = std::numeric_limits<float>::denorm_min();
    result[i + 3] = std::nextafter(1.0F, 0.0F);
  }
  return result;
}

std::vector<float> wild_points(std::uint64_t seed) {
  std::vector<float> result(kPixels);
  fill_normal(Key(seed).fold("points"), result);
  return result;
}

class ThreatOfRadius : public testing::TestWithParam<double> {
 protected:
  Threat threat_{.radius = GetParam()};
  std::vector<float> reference_ = references();

  void expect_inside(const std::vector<float>& x) const {
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float in_float = std::abs(x[i] - reference_[i]);
      EXPECT_LE(static_cast<double>(in_float), threat_.radius) << "pixel " << i;
      EXPECT_LE(std::abs(static_cast<double>(x[i]) - reference_[i]), threat_.radius) << "pixel " << i;
      EXPECT_GE(x[i], 0.0F);
      EXPECT_LE(x[i], 1.0F);
    }
    EXPECT_LE(threat_.size(reference_, x), threat_.radius);
  }
};

TEST_P(ThreatOfRadius, ProjectionStaysInsideBallAndBoxExactlyAsMeasured) {
  auto x = wild_points(2);
  threat_.project(reference_, x);
  expect_inside(x);
}

TEST_P(ThreatOfRadius, ProjectionIsIdempotent) {
  auto once = wild_points(2);
  threat_.project(reference_, once);
  auto twice = once;
  threat_.project(reference_, twice);
  EXPECT_EQ(once, twice);
}

TEST_P(ThreatOfRadius, ProjectionIsNonExpanding) {
  auto x = wild_points(2);
  auto y = wild_points(3);
  std::vector<double> before(kPixels);
  for (std::size_t i = 0; i < kPixels; ++i) {
    before[i] = std::abs(static_cast<double>(x[i]) - y[i]);
  }
  threat_.project(reference_, x);
  threat_.project(reference_, y);
  for (std::size_t i = 0; i < kPixels; ++i) {
    EXPECT_LE(std::abs(static_cast<double>(x[i]) - y[i]), before[i]);
  }
}

TEST_P(ThreatOfRadius, ProjectionReachesTheBorderToOneUnitInTheLastPlace) {
  std::vector<float> x(kPixels, 5.0F);
  threat_.project(reference_, x);
  for (std::size_t i = 0; i < kPixels; ++i) {
    const double border = std::min(1.0, static_cast<double>(reference_[i]) + threat_.radius);
    // One unit of the pixel (below 1) and one of the radius rounded to float.
    EXPECT_GE(x[i], border - 2 * 0x1p-24);
  }
}

TEST_P(ThreatOfRadius, RandomPointsAndExtremesAreInside) {
  std::vector<float> x(kPixels);
  threat_.random_point(Key(4), reference_, x);
  expect_inside(x);
  threat_.random_extreme(Key(4), reference_, x);
  expect_inside(x);
}

INSTANTIATE_TEST_SUITE_P(Radii, ThreatOfRadius, testing::Values(0.0, 1e-6, 0.05, 0.1, 0.2, 0.3, 0.7, 1.0, 3.0));

TEST(Threat, RandomPointsFillTheIntersectionOfBallAndBoxEvenly) {
  // 40,000 pixels at 0.05 with radius 0.1 may take 0 .. 0.15: mean 0.075, standard error 0.15 / sqrt(12 N) = 2.2e-4.
  const std::vector<float> reference(40000, 0.05F);
  std::vector<float> x(reference.size());
  Threat{.radius = 0.1}.random_point(Key(1), reference, x);
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  EXPECT_NEAR(mean, 0.075, 6 * 2.2e-4);
  const auto [least, greatest] = std::ranges::minmax(x);
  EXPECT_LT(least, 0.001F);
  EXPECT_GT(greatest, 0.149F);
}

TEST(Threat, ExtremesMoveEveryPixelByTheRadiusUpOrDown) {
  const std::vector<float> reference(1000, 0.5F);
  std::vector<float> x(reference.size());
  Threat{.radius = 0.25}.random_extreme(Key(1), reference, x);
  const auto up = std::ranges::count(x, 0.75F);
  EXPECT_EQ(up + std::ranges::count(x, 0.25F), 1000);
  EXPECT_NEAR(static_cast<double>(up), 500.0, 6 * std::sqrt(250.0));
}

TEST(Threat, PixelsThatAreNotNumbersFallBackToTheReference) {
  const std::vector<float> reference{0.5F, 0.5F, 0.5F};
  std::vector<float> x{std::nanf(""), INFINITY, -INFINITY};
  Threat{.radius = 0.25}.project(reference, x);
  EXPECT_THAT(x, testing::ElementsAre(0.5F, 0.75F, 0.25F));
}

TEST(Threat, TheSteepestDirectionOfTheMaximumNormIsTheSign) {
  const std::vector<float> gradient{-1e-30F, 0.0F, 7.0F, std::nanf("")};
  std::vector<float> direction(4);
  Threat{}.steepest_direction(gradient, direction);
  EXPECT_THAT(direction, testing::ElementsAre(-1.0F, 0.0F, 1.0F, 0.0F));
}

TEST(Threat, TheSteepestDirectionOfTheEuclideanNormIsTheGradientOfUnitLength) {
  const std::vector<float> gradient{3e30F, 0.0F, -4e30F, std::nanf("")};
  std::vector<float> direction(4);
  Threat{.norm = Norm::l2}.steepest_direction(gradient, direction);
  EXPECT_THAT(direction, testing::ElementsAre(testing::FloatEq(0.6F), 0.0F, testing::FloatEq(-0.8F), 0.0F));
  Threat{.norm = Norm::l2}.steepest_direction(std::vector<float>(4, 0.0F), direction);
  EXPECT_THAT(direction, testing::Each(0.0F));
}

TEST(Threat, TheDirectionOfTheSumNormMovesTheSteepestTwentieth) {
  std::vector<float> gradient(40, 0.5F);
  gradient[3] = -2.0F;
  gradient[7] = 1.0F;
  gradient[8] = std::nanf("");
  std::vector<float> direction(40);
  Threat{.norm = Norm::l1}.steepest_direction(gradient, direction);
  EXPECT_EQ(direction[3], -0.5F);
  EXPECT_EQ(direction[7], 0.5F);
  EXPECT_EQ(std::ranges::count(direction, 0.0F), 38);
}

TEST(Threat, PixelsAtTheirSideTakeNoPartInLeavingIt) {
  const std::vector<float> x{0.0F, 1.0F, 0.5F};
  std::vector<float> direction(3);
  Threat{.norm = Norm::l2}.steepest_direction_from(x, std::vector<float>{-1.0F, 1.0F, 1.0F}, direction);
  EXPECT_THAT(direction, testing::ElementsAre(0.0F, 0.0F, 1.0F));
  Threat{.norm = Norm::l2}.steepest_direction_from(x, std::vector<float>{1.0F, -1.0F, 0.0F}, direction);
  EXPECT_GT(direction[0], 0.7F);
}

TEST(Threat, ThePixelShareUsesTheRadiusUp) {
  for (const NormEntry& entry : norms()) {
    const Threat threat{.norm = entry.norm, .radius = 0.5};
    const std::vector<float> reference(16, 0.25F);
    const std::vector<float> x(16, static_cast<float>(0.25 + threat.pixel_share(16)));
    EXPECT_NEAR(threat.size(reference, x), 0.5, 1e-6) << entry.name;
  }
}

TEST(Threat, SizeIsTheLargestChange) {
  const std::vector<float> reference{0.0F, 0.5F, 1.0F};
  const std::vector<float> x{0.125F, 0.0F, 0.75F};
  EXPECT_EQ(Threat{}.size(reference, x), 0.5);
}

TEST(Threat, BadThreatsAndNormsAreNamed) {
  EXPECT_THAT([] { validate(Threat{.radius = -0.1}); },
              testing::ThrowsMessage<Misuse>("[attacks.threat] radius must be finite and >= 0, got -0.1"));
  EXPECT_THROW(validate(Threat{.radius = std::nan("")}), Misuse);
  EXPECT_THROW(validate(Threat{.low = 1.0F, .high = 0.0F}), Misuse);
  for (const NormEntry& entry : norms()) {
    EXPECT_EQ(norm_from_name(name(entry.norm)), entry.norm);
  }
  EXPECT_THAT([] { norm_from_name("lnf"); }, testing::ThrowsMessage<Misuse>(testing::HasSubstr("'linf'")));
}

}  // namespace
}  // namespace vaeguard::attacks
