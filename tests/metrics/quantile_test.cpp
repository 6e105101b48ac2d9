// Quantiles with values beyond a limit, and intervals against tables and their promised coverage.
#include "vaeguard/metrics/quantile.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>

#include "tests/expect_misuse.h"
#include "vaeguard/base/random.h"

namespace vaeguard::metrics {
namespace {

constexpr double kBeyond = std::numeric_limits<double>::infinity();

std::vector<double> one_to(std::int64_t n) {
  std::vector<double> values(static_cast<std::size_t>(n));
  std::iota(values.rbegin(), values.rend(), 1.0);
  return values;
}

TEST(Quantile, IsTheLeastValueThatAShareDoesNotExceed) {
  EXPECT_EQ(quantile(one_to(9), 0.5).value, 5.0);
  EXPECT_EQ(quantile(one_to(10), 0.5).value, 5.0);
  EXPECT_EQ(quantile(one_to(8), 0.25).value, 2.0);
  EXPECT_EQ(quantile(one_to(8), 0.75).value, 6.0);
  EXPECT_EQ(quantile(one_to(1), 0.01).value, 1.0);
}

TEST(Quantile, OfTheMedianHasTheRanksOfTheSignTest) {
  // Tables of the sign test at 5 %: for 10 values ranks 2 and 9, for 50 ranks 18 and 33, none below 6.
  for (const auto& [n, low, high] : {std::tuple(10, 2.0, 9.0), {50, 18.0, 33.0}, {6, 1.0, 6.0}}) {
    const Quantile median = quantile(one_to(n), 0.5);
    EXPECT_EQ(median.interval.low, low) << n;
    EXPECT_EQ(median.interval.high, high) << n;
    EXPECT_EQ(median.n, n);
  }
  EXPECT_EQ(quantile(one_to(5), 0.5).interval.low, -kBeyond);
  EXPECT_EQ(quantile(one_to(5), 0.5).interval.high, kBeyond);
}

TEST(Quantile, CountsValuesBeyondTheLimitWithoutKnowingThem) {
  std::vector<double> values = one_to(10);
  std::ranges::fill_n(values.begin(), 4, kBeyond);  // 7 .. 10
  EXPECT_EQ(quantile(values, 0.5).value, 5.0);
  EXPECT_EQ(quantile(values, 0.5).interval.high, kBeyond);
  EXPECT_EQ(quantile(values, 0.75).value, kBeyond);
}

TEST(Quantile, OfNothingOrOfNoNumbersIsNone) {
  EXPECT_TRUE(std::isnan(quantile({}, 0.5).value));
  const std::vector<double> values{1.0, std::nan(""), 2.0};
  EXPECT_TRUE(std::isnan(quantile(values, 0.5).value));
  EXPECT_TRUE(std::isnan(quantile(values, 0.5).interval.low));
}

TEST(Quantile, RefusesSharesOutsideTheOpenUnitInterval) {
  for (const double share : {0.0, 1.0, std::nan("")}) {
    expect_misuse([&] { static_cast<void>(quantile(one_to(3), share)); }, {"[metrics.quantile]", "in (0, 1)"});
  }
}

TEST(QuantileStatistical, IntervalsCoverAsOftenAsTheirRanksPromise) {
  constexpr int kReplicates = 8000;
  int covered = 0;
  for (int replicate = 0; replicate < kReplicates; ++replicate) {
    std::vector<float> drawn(40);
    fill_uniform(Key(1).fold(static_cast<std::uint64_t>(replicate)), 0.0F, 1.0F, drawn);
    const std::vector<double> values(drawn.begin(), drawn.end());
    const Interval interval = quantile(values, 0.25).interval;
    covered += interval.low <= 0.25 && 0.25 <= interval.high ? 1 : 0;
  }
  // Ranks 5 and 17 of 40 cover with probability 0.9724; 6.1 standard errors of 0.0018 fail falsely once in 1e9. One
  // rank less on either side would cover 0.945 or 0.958.
  EXPECT_NEAR(static_cast<double>(covered) / kReplicates, 0.9724, 6.1 * 0.00183);
}

}  // namespace
}  // namespace vaeguard::metrics
