// Intervals against closed forms and printed tables.
#include "vaeguard/metrics/intervals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard::metrics {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// The t quantile that interval95 uses at these degrees of freedom.
double quantile(std::int64_t degrees) {
  return interval95({.value = 0.0, .standard_error = 1.0, .n = degrees + 1}, false).high;
}

TEST(Intervals, StudentQuantileHasItsClosedFormsAtOneAndTwoDegreesOfFreedom) {
  EXPECT_NEAR(quantile(1), std::tan(0.475 * std::acos(-1.0)), 1e-10);  // the Cauchy distribution
  EXPECT_NEAR(quantile(2), 0.95 * std::sqrt(2.0 / (1.0 - 0.95 * 0.95)), 1e-10);
}

TEST(Intervals, StudentQuantileEqualsThePrintedTable) {
  // Five digits as printed in tables of the t distribution.
  EXPECT_NEAR(quantile(3), 3.18245, 5e-6);
  EXPECT_NEAR(quantile(9), 2.26216, 5e-6);
  EXPECT_NEAR(quantile(10), 2.22814, 5e-6);
  EXPECT_NEAR(quantile(49), 2.00958, 5e-6);
  EXPECT_NEAR(quantile(120), 1.97993, 5e-6);
  EXPECT_NEAR(quantile(100000000), 1.959964, 1e-6);
}

TEST(Intervals, StudentQuantileIsSmoothWhereTheSeriesEnds) {
  EXPECT_NEAR(quantile(1001) - quantile(1000), quantile(1002) - quantile(1001), 1e-8);
  EXPECT_GT(quantile(1000), quantile(1001));
}

TEST(Intervals, MeanIntervalIsSymmetricAboutTheMean) {
  const Interval interval = interval95({.value = 0.7, .standard_error = 0.02, .n = 50}, false);
  EXPECT_NEAR(interval.high - 0.7, 2.00958 * 0.02, 1e-6);
  EXPECT_NEAR(0.7 - interval.low, 2.00958 * 0.02, 1e-6);
}

TEST(Intervals, WilsonIntervalOfNoneOfFiftyIsNotCertain) {
  const Interval interval = interval95({.value = 0.0, .standard_error = 0.0, .n = 50}, true);
  const double z2 = 1.959964 * 1.959964;
  EXPECT_DOUBLE_EQ(interval.low, 0.0);
  EXPECT_NEAR(interval.high, z2 / (50.0 + z2), 1e-6);  // the closed form at 0
}

TEST(Intervals, WilsonIntervalSolvesItsEquation) {
  // Both ends p solve |0.3 - p| = z sqrt(p (1 - p) / n), the definition of a score interval.
  const double n = 50.0;
  const Interval interval = interval95({.value = 0.3, .standard_error = std::sqrt(0.3 * 0.7 / n), .n = 50}, true);
  EXPECT_NEAR(0.3 - interval.low, 1.959963984540054 * std::sqrt(interval.low * (1 - interval.low) / n), 1e-9);
  EXPECT_NEAR(interval.high - 0.3, 1.959963984540054 * std::sqrt(interval.high * (1 - interval.high) / n), 1e-9);
}

TEST(Intervals, RestartsNarrowAProportionOnlyAsFarAsItsStandardErrorSays) {
  const double trials = 200.0;
  const Interval wide = interval95({.value = 0.3, .standard_error = std::sqrt(0.3 * 0.7 / 50.0), .n = 50}, true);
  const Interval narrow = interval95({.value = 0.3, .standard_error = std::sqrt(0.3 * 0.7 / trials), .n = 50}, true);
  const Interval expected = interval95({.value = 0.3, .standard_error = std::sqrt(0.3 * 0.7 / trials), .n = 200}, true);
  EXPECT_LT(narrow.high - narrow.low, wide.high - wide.low);
  EXPECT_NEAR(narrow.low, expected.low, 1e-12);
  // A standard error above the binomial one, as the unbiased n - 1 gives, never counts for fewer than n trials.
  const Interval unbiased = interval95({.value = 0.3, .standard_error = std::sqrt(0.3 * 0.7 / 49.0), .n = 50}, true);
  EXPECT_NEAR(unbiased.low, wide.low, 1e-12);
}

TEST(Intervals, EstimateTreatsAReferenceAsOneUnit) {
  // Two references with perfectly dependent restarts: the spread is that of two units, not of four.
  const std::vector<double> values = {0.0, 0.0, 1.0, 1.0};
  const Estimate estimate = estimate_by_reference(values, 2, Restarts::mean, true);
  EXPECT_EQ(estimate.n, 2);
  EXPECT_DOUBLE_EQ(estimate.value, 0.5);
  EXPECT_DOUBLE_EQ(estimate.standard_error, 0.5);  // sd = sqrt(1/2), / sqrt(2)
}

TEST(Intervals, WorstRestartIsTheLeastWhereHigherIsBetter) {
  const std::vector<double> values = {0.2, 0.4, 0.9, 0.5};
  EXPECT_DOUBLE_EQ(estimate_by_reference(values, 2, Restarts::worst, true).value, 0.35);
  EXPECT_DOUBLE_EQ(estimate_by_reference(values, 2, Restarts::worst, false).value, 0.65);
  EXPECT_DOUBLE_EQ(estimate_by_reference(values, 2, Restarts::mean, true).value, 0.5);
}

TEST(Intervals, NanMakesTheEstimateNanWhicheverRestartCounts) {
  const std::vector<double> values = {0.2, kNan, 0.9, 0.5};
  for (const auto counted : {Restarts::mean, Restarts::worst}) {
    const Estimate estimate = estimate_by_reference(values, 2, counted, true);
    EXPECT_TRUE(std::isnan(estimate.value));
    EXPECT_TRUE(std::isnan(interval95(estimate, false).low));
    EXPECT_TRUE(std::isnan(interval95(estimate, true).high));
  }
}

TEST(Intervals, OneReferenceHasNoInterval) {
  const std::vector<double> values = {0.2, 0.4};
  const Estimate estimate = estimate_by_reference(values, 2, Restarts::mean, true);
  EXPECT_EQ(estimate.n, 1);
  EXPECT_TRUE(std::isnan(estimate.standard_error));
  EXPECT_TRUE(std::isnan(interval95(estimate, false).low));
}

TEST(Intervals, NoReferencesGiveNan) {
  const Estimate estimate = estimate_by_reference({}, 2, Restarts::mean, true);
  EXPECT_EQ(estimate.n, 0);
  EXPECT_TRUE(std::isnan(estimate.value));
  EXPECT_TRUE(std::isnan(interval95(estimate, true).low));
}

TEST(Intervals, RefusesValuesThatRestartsDoNotDivide) {
  const std::vector<double> values = {0.2, 0.4, 0.6};
  EXPECT_THROW(estimate_by_reference(values, 2, Restarts::mean, true), Misuse);
  EXPECT_THROW(estimate_by_reference(values, 0, Restarts::mean, true), Misuse);
}

}  // namespace
}  // namespace vaeguard::metrics
