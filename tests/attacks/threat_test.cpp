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
    const std::vector<float> x(16, static_cast<float>(0.25 + threat.pixel_share(reference)));
    EXPECT_NEAR(threat.size(reference, x), 0.5, 1e-6) << entry.name;
  }
}

TEST(Threat, SizeIsTheLargestChange) {
  const std::vector<float> reference{0.0F, 0.5F, 1.0F};
  const std::vector<float> x{0.125F, 0.0F, 0.75F};
  EXPECT_EQ(Threat{}.size(reference, x), 0.5);
}

/// Pixels of these at the ends of their range are held by the mask of masked(), about half of the others by its margin.
Threat masked(Norm norm, double radius) {
  return {.norm = norm, .radius = radius, .pixels = {.mask = Mask::unsaturated, .mask_margin = 0.25}};
}

TEST(Threat, AMaskedSetIsThatOfTheMovingPixelsAlone) {
  const std::vector<float> reference = references();
  for (const NormEntry& entry : norms()) {
    const Threat whole{.norm = entry.norm, .radius = entry.norm == Norm::linf ? 0.1 : 5.0};
    const Threat part = masked(entry.norm, whole.radius);
    std::vector<float> x = wild_points(2);
    std::vector<float> moving_references;
    std::vector<float> moving;
    for (std::size_t i = 0; i < kPixels; ++i) {
      if (!part.holds(reference[i])) {
        moving_references.push_back(reference[i]);
        moving.push_back(x[i]);
      }
    }
    ASSERT_GT(moving.size(), kPixels / 8);
    EXPECT_EQ(part.pixel_share(reference), whole.pixel_share(moving_references));
    part.project(reference, x);
    whole.project(moving_references, moving);
    auto next = moving.begin();
    for (std::size_t i = 0; i < kPixels; ++i) {
      EXPECT_EQ(x[i], part.holds(reference[i]) ? reference[i] : *next++) << entry.name << ", pixel " << i;
    }
    for (const std::uint64_t seed : {1, 2, 3}) {
      part.random_point(Key(seed), reference, x);
      EXPECT_LE(part.size(reference, x), part.radius) << entry.name;
      part.random_extreme(Key(seed), reference, x);
      EXPECT_LE(part.size(reference, x), part.radius) << entry.name;
      // Held pixels use none of the radius, so the others reach the border unless their range is in the way.
      EXPECT_GE(part.size(reference, x), 0.8 * part.radius) << entry.name;
      for (std::size_t i = 0; i < kPixels; ++i) {
        EXPECT_TRUE(!part.holds(reference[i]) || x[i] == reference[i]) << entry.name << ", pixel " << i;
      }
    }
  }
}

TEST(Threat, AnImageThatIsHeldAsAWholeStays) {
  const std::vector<float> black(10, 0.0F);
  for (const NormEntry& entry : norms()) {
    const Threat threat = masked(entry.norm, 0.5);
    std::vector<float> x(10, 1.0F);
    threat.project(black, x);
    EXPECT_EQ(x, black) << entry.name;
    threat.random_point(Key(1), black, x);
    EXPECT_EQ(x, black) << entry.name;
    threat.random_extreme(Key(1), black, x);
    EXPECT_EQ(x, black) << entry.name;
    EXPECT_EQ(threat.pixel_share(black), 0.5) << entry.name;
  }
}

TEST(Threat, RandomRadiiAreSharesThatTheRadiusDoesNotChange) {
  const std::vector<float> reference(kPixels, 0.5F);
  std::vector<double> shares[2];
  for (const int which : {0, 1}) {
    const Threat threat{
        .radius = which == 0 ? 0.1 : 0.3, .pixels = {.pixel_radii = PixelRadii::random}, .pixel_key = Key(5)};
    std::vector<float> x(kPixels, 9.0F);
    threat.project(reference, x);
    for (const float pixel : x) {
      shares[which].push_back((static_cast<double>(pixel) - 0.5) / threat.radius);
    }
    std::ranges::fill(x, -9.0F);
    threat.project(reference, x);
    for (std::size_t i = 0; i < kPixels; ++i) {
      EXPECT_NEAR((0.5 - static_cast<double>(x[i])) / threat.radius, shares[which][i], 1e-5) << "down as up";
    }
  }
  EXPECT_THAT(shares[1], testing::Pointwise(testing::DoubleNear(1e-5), shares[0]));
  EXPECT_THAT(shares[0], testing::Each(testing::AllOf(testing::Gt(0.2 - 1e-5), testing::Le(1.0))));
  // Uniform: mean 0.6, standard error 0.8 / sqrt(12 N) = 3.6e-3; six of them.
  EXPECT_NEAR(std::accumulate(shares[0].begin(), shares[0].end(), 0.0) / kPixels, 0.6, 6 * 3.6e-3);
  std::vector<float> other(kPixels, 9.0F);
  Threat{.radius = 0.1, .pixels = {.pixel_radii = PixelRadii::random}, .pixel_key = Key(6)}.project(reference, other);
  EXPECT_NE((static_cast<double>(other[0]) - 0.5) / 0.1, shares[0][0]) << "another key has other shares";
}

TEST(Threat, ADecoyMovesHeldPixelsUpOrDownByChance) {
  std::vector<float> reference(kPixels, 0.0F);
  std::ranges::fill(std::span(reference).first(kPixels / 2), 1.0F);
  reference[7] = 0.5F;
  Threat threat{.radius = 0.125, .pixels = {.mask = Mask::unsaturated, .decoy = Decoy::noise}, .pixel_key = Key(5)};
  std::vector<float> x(kPixels, 0.55F);
  threat.project(reference, x);
  EXPECT_EQ(x[7], 0.55F) << "moves as it likes";
  const auto moved = std::ranges::count(x, 0.125F) + std::ranges::count(x, 0.875F);
  EXPECT_EQ(moved + std::ranges::count(x, 0.0F) + std::ranges::count(x, 1.0F), kPixels - 1);
  // Half of them would leave the range and stay; six standard deviations.
  EXPECT_NEAR(static_cast<double>(moved), kPixels / 2.0, 6 * std::sqrt(kPixels / 4.0));
  std::vector<float> drawn(kPixels);
  threat.random_point(Key(1), reference, drawn);
  drawn[7] = x[7];
  EXPECT_EQ(drawn, x) << "held pixels have one value";
  threat.radius = 0.25;
  threat.project(reference, drawn);
  for (std::size_t i = 0; i < kPixels; ++i) {
    EXPECT_TRUE(i == 7 || (drawn[i] == reference[i]) == (x[i] == reference[i])) << "the same signs at every radius";
  }
}

TEST_P(ThreatOfRadius, RandomRadiiAndDecoysAreInsideToo) {
  threat_.pixels = {.mask = Mask::unsaturated, .pixel_radii = PixelRadii::random, .decoy = Decoy::noise};
  for (const std::uint64_t seed : {1, 2, 3}) {
    threat_.pixel_key = Key(seed);
    auto x = wild_points(seed);
    threat_.project(reference_, x);
    expect_inside(x);
    auto twice = x;
    threat_.project(reference_, twice);
    EXPECT_EQ(twice, x);
    threat_.random_extreme(Key(4), reference_, x);
    expect_inside(x);
  }
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
