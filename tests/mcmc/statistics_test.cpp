// The statistical helper itself: distances by hand, distribution functions, false fails and power.
#include "tests/mcmc/statistics.h"

#include <gtest/gtest.h>

#include <limits>

#include "vaeguard/base/random.h"

namespace vaeguard::statistics {
namespace {

std::vector<double> uniforms(Key key, std::size_t n) {
  Stream stream(key);
  std::vector<double> result(n);
  for (double& value : result) {
    value = stream.uniform();
  }
  return result;
}

TEST(StatisticsHelper, DistanceToTheUniformLawByHand) {
  EXPECT_DOUBLE_EQ(ks_distance({0.5}), 0.5);
  EXPECT_DOUBLE_EQ(ks_distance({0.75, 0.25}), 0.25);
  EXPECT_DOUBLE_EQ(ks_distance({0.9, 0.9}), 0.9);
  EXPECT_DOUBLE_EQ(ks_distance({0.1, std::numeric_limits<double>::quiet_NaN()}), 1.0);
  EXPECT_DOUBLE_EQ(ks_distance({0.1, 2.0}), 1.0);
}

TEST(StatisticsHelper, DistanceOfTwoSamplesByHandAndWithTies) {
  EXPECT_DOUBLE_EQ(ks_distance({1, 2}, {3, 4}), 1.0);
  EXPECT_DOUBLE_EQ(ks_distance({1, 3}, {2, 4}), 0.5);
  EXPECT_DOUBLE_EQ(ks_distance({0, 0, 1}, {0, 1, 1}), 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(ks_distance({0, 0, 0}, {0}), 0.0);
}

TEST(StatisticsHelper, DistributionFunctionsHaveTheirPrintedValues) {
  EXPECT_NEAR(normal_cdf(1.959963984540054), 0.975, 1e-12);
  EXPECT_NEAR(chi_squared_cdf(5.991464547107979, 2), 0.95, 1e-12);
  EXPECT_NEAR(chi_squared_cdf(83.675260742721, 64), 0.95, 1e-9);
}

TEST(StatisticsHelper, RadiusIsTheOneOfTheBound) {
  EXPECT_NEAR(dkw_radius(20000, 1e-9), 0.0231, 1e-4);
  EXPECT_NEAR(2.0 * std::exp(-2.0 * 500 * dkw_radius(500, 0.01) * dkw_radius(500, 0.01)), 0.01, 1e-12);
}

TEST(StatisticsHelper, FalseFailsAreAsRareAsStated) {
  // At a rate of 0.1 a thousand honest samples may be rejected about 100 times; 150 lies five deviations above.
  int single = 0;
  int several = 0;
  int pair = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    Judgement one;
    one.add_uniform("one", uniforms(Key(1).fold(i), 200));
    single += one.rejected(0.1) ? 1 : 0;
    Judgement many;
    for (std::uint64_t s = 0; s < 5; ++s) {
      many.add_uniform("one of five", uniforms(Key(2).fold(i).fold(s), 200));
    }
    several += many.rejected(0.1) ? 1 : 0;
    Judgement two;
    two.add_pair("pair", uniforms(Key(3).fold(i), 200), uniforms(Key(4).fold(i), 300));
    pair += two.rejected(0.1) ? 1 : 0;
  }
  EXPECT_LE(single, 150);
  EXPECT_GE(single, 40);  // the bound is nearly sharp: a helper that never rejects is no help
  EXPECT_LE(several, 150);
  EXPECT_LE(pair, 150);
}

TEST(StatisticsHelper, ADiscrepancyOfTheDetectableSizeIsDetected) {
  for (const bool two_samples : {false, true}) {
    std::vector<double> shifted = uniforms(Key(5), 20000);
    Judgement judgement;
    Judgement blank;
    const auto add = [&](Judgement& to, const std::vector<double>& draws) {
      if (two_samples) {
        to.add_pair("pair", uniforms(Key(6), 20000), draws);
      } else {
        to.add_uniform("one", draws);
      }
    };
    add(blank, shifted);
    EXPECT_FALSE(blank.rejected());
    EXPECT_LT(blank.smallest_detectable(), 0.1);
    for (double& value : shifted) {
      value = std::min(1.0, value + blank.smallest_detectable());
    }
    add(judgement, shifted);
    EXPECT_TRUE(judgement.rejected());
  }
}

}  // namespace
}  // namespace vaeguard::statistics
