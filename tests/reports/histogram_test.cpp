// Bins hold every finite value once, whatever the values are.
#include "vaeguard/reports/histogram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace vaeguard::reports {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Histogram, CountsEveryFiniteValueOnceEndsIncluded) {
  const std::vector<double> values = {0.0, 1.0, 2.0, 3.0, 4.0, kNan, kInfinity};
  const Bins bins = shared_bins(values, 4, false);
  EXPECT_EQ(bins.edges, (std::vector<double>{0.0, 1.0, 2.0, 3.0, 4.0}));
  EXPECT_EQ(count_in_bins(values, bins), (std::vector<std::int64_t>{1, 1, 1, 2}));
  EXPECT_FALSE(bins.clipped);
}

TEST(Histogram, EqualValuesGetOneFilledBin) {
  const std::vector<double> values(5, 7.0);
  const auto counts = count_in_bins(values, shared_bins(values, 10, false));
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0), 5);
  EXPECT_EQ(*std::max_element(counts.begin(), counts.end()), 5);
}

TEST(Histogram, StrayValuesAreClippedIntoTheOutermostBins) {
  std::vector<double> values(1000);
  std::iota(values.begin(), values.end(), 0.0);
  values.push_back(1e9);
  const Bins bins = shared_bins(values, 20, false);
  EXPECT_TRUE(bins.clipped);
  EXPECT_LT(bins.edges.back(), 1000.0);
  const auto counts = count_in_bins(values, bins);
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0), 1001);
}

TEST(Histogram, LogarithmicBinsHaveEqualRatios) {
  const std::vector<double> values = {0.001, 0.1, -1.0, 0.0};
  const Bins bins = shared_bins(values, 2, true);
  ASSERT_EQ(bins.edges.size(), 3U);
  EXPECT_NEAR(bins.edges[1], 0.01, 1e-12);
}

TEST(Histogram, WithoutUsableValuesHasNoBins) {
  EXPECT_TRUE(shared_bins({kNan, kInfinity}, 10, false).edges.empty());
  EXPECT_TRUE(shared_bins({-1.0}, 10, true).edges.empty());
  EXPECT_TRUE(count_in_bins(std::vector<double>{1.0}, Bins{}).empty());
}

TEST(Histogram, QuantilesAreLinearBetweenNeighbours) {
  EXPECT_DOUBLE_EQ(quantile({3.0, 1.0, kNan, 2.0, 4.0}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile({3.0}, 0.05), 3.0);
  EXPECT_TRUE(std::isnan(quantile({kNan}, 0.5)));
}

}  // namespace
}  // namespace vaeguard::reports
