// Quantiles of samples: order statistics and what lies between them.
#include "vaeguard/base/quantile.h"

namespace vaeguard {
namespace {

TEST(SampleQuantile, IsLinearBetweenOrderStatistics) {
  const std::vector<double> values{1.0, 2.0, 4.0, 8.0, 16.0};
  EXPECT_EQ(sorted_quantile(values, 0.0), 1.0);
  EXPECT_EQ(sorted_quantile(values, 0.5), 4.0);
  EXPECT_EQ(sorted_quantile(values, 1.0), 16.0);
  EXPECT_EQ(sorted_quantile(values, 0.625), 6.0);
}

TEST(SampleQuantile, OfOneValueIsThatValue) {
  for (const double share : {0.0, 0.3, 1.0}) {
    EXPECT_EQ(sorted_quantile(std::vector<double>{7.0}, share), 7.0);
  }
}

}  // namespace
}  // namespace vaeguard
