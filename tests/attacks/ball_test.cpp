// Nearest points of L2 and L1 balls in the box: inside as measured, nearest of all, and against a search of a grid.
#include "vaeguard/attacks/ball.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "vaeguard/attacks/threat.h"
#include "vaeguard/base/random.h"

namespace vaeguard::attacks {
namespace {

struct Case {
  Norm norm;
  double radius;
};

/// Digits are mostly black and white, and tiny values are where rounding of a difference is worst.
std::vector<float> references(std::size_t pixels) {
  std::vector<float> result(pixels);
  fill_uniform(Key(1).fold("references"), 0.0F, 1.0F, result);
  for (std::size_t i = 0; i + 8 < pixels; i += 8) {
    result[i] = 0.0F;
    result[i + 1] = 1.0F;
    result[i + 2] = std::numeric_limits<float>::denorm_min();
    result[i + 3] = std::nextafter(1.0F, 0.0F);
  }
  return result;
}

std::vector<float> normals(Key key, std::size_t pixels, float deviation, std::span<const float> around) {
  std::vector<float> result(pixels);
  fill_normal(key.fold("points"), result);
  for (std::size_t i = 0; i < pixels; ++i) {
    result[i] = around[i] + deviation * result[i];
  }
  return result;
}

double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
  }
  return sum;
}

class BallOf : public testing::TestWithParam<Case> {
 protected:
  static constexpr std::size_t kPixels = 784;
  Threat threat_{.norm = GetParam().norm, .radius = GetParam().radius};
  std::vector<float> reference_ = references(kPixels);

  void expect_inside(std::span<const float> x) const {
    double in_float = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double length = std::abs(x[i] - reference_[i]);
      in_float += threat_.norm == Norm::l2 ? length * length : length;
      EXPECT_GE(x[i], 0.0F);
      EXPECT_LE(x[i], 1.0F);
    }
    EXPECT_LE(threat_.norm == Norm::l2 ? std::sqrt(in_float) : in_float, threat_.radius);
    EXPECT_LE(threat_.size(reference_, x), threat_.radius);
  }
};

TEST_P(BallOf, ProjectionsAndRandomPointsAreInsideExactlyAsMeasured) {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    for (const float deviation : {1e-4F, 0.01F, 0.1F, 1.0F, 100.0F}) {
      auto x = normals(Key(seed), kPixels, deviation, reference_);
      threat_.project(reference_, x);
      expect_inside(x);
    }
    std::vector<float> x(kPixels);
    threat_.random_point(Key(seed), reference_, x);
    expect_inside(x);
    threat_.random_extreme(Key(seed), reference_, x);
    expect_inside(x);
  }
}

TEST_P(BallOf, ProjectionIsIdempotent) {
  auto once = normals(Key(2), kPixels, 0.5F, reference_);
  threat_.project(reference_, once);
  auto twice = once;
  threat_.project(reference_, twice);
  EXPECT_EQ(once, twice);
}

TEST_P(BallOf, ProjectionReachesTheBorder) {
  auto x = normals(Key(3), kPixels, 3.0F, reference_);
  auto everything = x;
  for (float& pixel : everything) {
    pixel = std::clamp(pixel, 0.0F, 1.0F);
  }
  threat_.project(reference_, x);
  const double reachable = std::min(threat_.radius, threat_.size(reference_, everything));
  // The margin of the radius, and one unit in the last place of every pixel, summed in the norm.
  const double rounding = threat_.norm == Norm::l2 ? std::sqrt(1.0 * kPixels) : 1.0 * kPixels;
  EXPECT_GE(threat_.size(reference_, x), reachable * (1.0 - 0x1p-22) - rounding * 0x1p-24);
}

TEST_P(BallOf, NoFeasiblePointIsNearer) {
  const auto point = normals(Key(4), kPixels, 0.3F, reference_);
  auto nearest = point;
  threat_.project(reference_, nearest);
  const double least = squared_distance(point, nearest);
  std::vector<float> other(kPixels);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    // Whole random points, and small changes of the answer.
    threat_.random_point(Key(seed), reference_, other);
    EXPECT_GE(squared_distance(point, other), least);
    other = normals(Key(seed), kPixels, 1e-3F, nearest);
    threat_.project(reference_, other);
    // Rounding to float costs up to one unit in the last place of each pixel.
    EXPECT_GE(squared_distance(point, other), least - 1e-5 * (1.0 + least));
  }
}

TEST_P(BallOf, ProjectionIsNonExpanding) {
  auto x = normals(Key(5), kPixels, 0.4F, reference_);
  auto y = normals(Key(6), kPixels, 0.4F, reference_);
  const double before = squared_distance(x, y);
  threat_.project(reference_, x);
  threat_.project(reference_, y);
  EXPECT_LE(squared_distance(x, y), before);
}

INSTANTIATE_TEST_SUITE_P(Norms, BallOf,
                         testing::Values(Case{Norm::l2, 0.0}, Case{Norm::l2, 1e-6}, Case{Norm::l2, 0.1},
                                         Case{Norm::l2, 1.5}, Case{Norm::l2, 7.0}, Case{Norm::l2, 1000.0},
                                         Case{Norm::l1, 0.0}, Case{Norm::l1, 1e-6}, Case{Norm::l1, 0.1},
                                         Case{Norm::l1, 12.0}, Case{Norm::l1, 100.0}, Case{Norm::l1, 1e5}));

/// The least squared distance from `point` to a feasible point of a grid over the box of three pixels.
double least_on_a_grid(const Threat& threat, std::span<const float> reference, std::span<const float> point) {
  constexpr int kSteps = 64;
  double least = std::numeric_limits<double>::infinity();
  std::vector<float> candidate(3);
  for (int a = 0; a <= kSteps; ++a) {
    for (int b = 0; b <= kSteps; ++b) {
      for (int c = 0; c <= kSteps; ++c) {
        candidate = {static_cast<float>(a) / kSteps, static_cast<float>(b) / kSteps, static_cast<float>(c) / kSteps};
        if (threat.size(reference, candidate) <= threat.radius) {
          least = std::min(least, squared_distance(point, candidate));
        }
      }
    }
  }
  return least;
}

TEST(Ball, InThreeDimensionsItIsAsNearAsASearchOfTheWholeSet) {
  for (const Norm norm : {Norm::l2, Norm::l1}) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      std::vector<float> reference(3);
      fill_uniform(Key(seed).fold("reference"), 0.0F, 1.0F, reference);
      reference[seed % 3] = seed % 2 == 0 ? 0.0F : 1.0F;
      const auto point = normals(Key(seed), 3, 1.0F, reference);
      const Threat threat{.norm = norm, .radius = 0.15 + 0.05 * static_cast<double>(seed)};
      auto nearest = point;
      threat.project(reference, nearest);
      const double found = std::sqrt(squared_distance(point, nearest));
      const double searched = std::sqrt(least_on_a_grid(threat, reference, point));
      EXPECT_LE(found, searched + 1e-6) << name(norm) << " seed " << seed;
      // A convex set with a point of the grid near every one of its points; cells are 1/64 wide.
      EXPECT_GE(found, searched - 3.0 / 64.0) << name(norm) << " seed " << seed;
    }
  }
}

TEST(Ball, TheBoxIsPartOfTheSearchNotAnAfterthought) {
  // One pixel is at its side at once; what it does not use is the other's: clipping the ball's answer would give less.
  std::vector<float> x{0.9F, 1.5F};
  const std::vector<float> reference{0.5F, 0.9F};
  project_to_l2_ball({reference, 0.3}, x);
  EXPECT_NEAR(x[1], 1.0F, 1e-6);
  EXPECT_NEAR(x[0], 0.5 + std::sqrt(0.09 - 0.01), 1e-6);
  std::vector<float> y{0.9F, 1.5F};
  project_to_l1_ball({reference, 0.3}, y);
  EXPECT_NEAR(y[1], 1.0F, 1e-6);
  EXPECT_NEAR(y[0], 0.7F, 1e-6);
}

TEST(Ball, PixelsThatAreNotNumbersFallBackToTheReferenceAndHugeOnesStayFinite) {
  for (const Norm norm : {Norm::l2, Norm::l1}) {
    const std::vector<float> reference{0.5F, 0.5F, 0.5F};
    std::vector<float> x{std::nanf(""), INFINITY, 0.5F};
    Threat{.norm = norm, .radius = 0.25}.project(reference, x);
    EXPECT_EQ(x[0], 0.5F) << name(norm);
    EXPECT_NEAR(x[1], 0.75F, 1e-6) << name(norm);
    EXPECT_EQ(x[2], 0.5F) << name(norm);
  }
}

TEST(Ball, RandomPointsOfBlackImagesFillTheirOrthantEvenly) {
  // Uniform in the part of the unit ball with x >= 0, in two dimensions: E|x|_1 is 8 / (3 pi) for the disc and 2 / 3
  // for the triangle; the standard error of 20,000 draws is below 3e-3, six of them are allowed.
  const std::vector<float> black(2, 0.0F);
  std::vector<float> x(2);
  for (const auto& [norm, expected] : {std::pair(Norm::l2, 8.0 / (3.0 * 3.14159265)), std::pair(Norm::l1, 2.0 / 3.0)}) {
    double sum = 0.0;
    for (std::uint64_t draw = 0; draw < 20000; ++draw) {
      Threat{.norm = norm, .radius = 1.0}.random_point(Key(9).fold(draw), black, x);
      sum += static_cast<double>(x[0]) + x[1];
    }
    EXPECT_NEAR(sum / 20000.0, expected, 6 * 3e-3) << name(norm);
  }
}

}  // namespace
}  // namespace vaeguard::attacks
