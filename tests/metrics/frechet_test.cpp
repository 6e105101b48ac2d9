// The Frechet distance against closed forms and an independent computation.
#include "vaeguard/metrics/frechet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/expect_misuse.h"
#include "vaeguard/base/random.h"

namespace vaeguard::metrics {
namespace {

FeatureMoments diagonal(std::vector<double> mean, const std::vector<double>& variances) {
  FeatureMoments moments{100, std::move(mean), std::vector<double>(variances.size() * variances.size())};
  for (std::size_t i = 0; i < variances.size(); ++i) {
    moments.covariance[i * variances.size() + i] = variances[i];
  }
  return moments;
}

TEST(Frechet, MomentsAreTheMeanAndTheUnbiasedCovariance) {
  const FeatureMoments moments = feature_moments(Matrix(3, 2, std::vector<float>{1, 0, 2, 2, 3, 1}));
  EXPECT_THAT(moments.mean, testing::ElementsAre(2.0, 1.0));
  EXPECT_THAT(moments.covariance, testing::ElementsAre(1.0, 0.5, 0.5, 1.0));
}

TEST(Frechet, OfNormalsWithUncorrelatedFeaturesIsTheSumOverFeatures) {
  const double found =
      frechet_distance(diagonal({0.0, 1.0, 5.0}, {1.0, 4.0, 0.0}), diagonal({1.0, 1.0, 3.0}, {9.0, 1.0, 0.0}));
  // (mean difference)^2 + (deviation difference)^2 of each
  EXPECT_NEAR(found, 1.0 + 4.0 + 0.0 + 1.0 + 4.0 + 0.0, 1e-12);
}

TEST(Frechet, OfTwoCorrelatedFeaturesIsThatOfTheSquareRootInClosedForm) {
  // tr M^(1/2) = sqrt(tr M + 2 sqrt(det M)) for a 2 x 2 matrix M = A B.
  FeatureMoments a{10, {0.0, 0.0}, {2.0, 0.5, 0.5, 1.0}};
  FeatureMoments b{10, {0.0, 0.0}, {1.0, -0.3, -0.3, 3.0}};
  const double trace = 2.0 * 1.0 + 2.0 * 0.5 * -0.3 + 1.0 * 3.0;
  const double determinant = (2.0 * 1.0 - 0.25) * (3.0 - 0.09);
  EXPECT_NEAR(frechet_distance(a, b), 3.0 + 4.0 - 2.0 * std::sqrt(trace + 2.0 * std::sqrt(determinant)), 1e-12);
  EXPECT_NEAR(frechet_distance(b, a), frechet_distance(a, b), 1e-12);
}

TEST(Frechet, IsNothingBetweenASetAndItselfEvenWithFewerImagesThanFeatures) {
  Matrix features(10, 40);
  fill_normal(Key(1), features.flat());
  const FeatureMoments moments = feature_moments(features);
  // Square roots of the rounding, 40 eigenvalues of some 1e-15, are below 1e-5.
  EXPECT_NEAR(frechet_distance(moments, moments), 0.0, 1e-5);
}

TEST(Frechet, RefusesTooFewUnequalAndUnfiniteFeatures) {
  expect_misuse([] { static_cast<void>(feature_moments(Matrix(1, 3))); },
                {"[metrics.frechet] at least 2 feature vectors are needed, got 1"});
  expect_misuse(
      [] {
        static_cast<void>(feature_moments(Matrix(2, 1, std::vector<float>{0.0F, std::nanf("")})));
      },
      {"metrics.frechet", "features"});
  expect_misuse(
      [] {
        static_cast<void>(frechet_distance(diagonal({0.0}, {1.0}), diagonal({0.0, 0.0}, {1.0, 1.0})));
      },
      {"features of one size, got 1 and 2"});
}

}  // namespace
}  // namespace vaeguard::metrics
