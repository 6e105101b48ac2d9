// The Metropolis decision: probabilities by hand, frequencies, and errors that are no numbers.
#include "vaeguard/mcmc/accept.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/mcmc/statistics.h"
#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Metropolis, AcceptsEverythingThatLosesEnergy) {
  for (std::uint64_t i = 0; i < 1000; ++i) {
    for (const double error : {0.0, -1e-3, -5.0, -1e6, -kInfinity}) {
      const Decision decision = metropolis(error, Key(i));
      EXPECT_TRUE(decision.accepted);
      EXPECT_EQ(decision.acceptance, 1.0);
      EXPECT_FALSE(decision.divergent);
    }
  }
}

TEST(Metropolis, ProbabilityIsTheExponentialOfTheError) {
  EXPECT_DOUBLE_EQ(metropolis(1.0, Key(0)).acceptance, std::exp(-1.0));
  EXPECT_DOUBLE_EQ(metropolis(1e-9, Key(0)).acceptance, std::exp(-1e-9));
  EXPECT_DOUBLE_EQ(metropolis(std::log(2.0), Key(0)).acceptance, 0.5);
}

TEST(MetropolisStatistical, AcceptsAsOftenAsItsProbabilitySays) {
  constexpr std::size_t kTrials = 100000;
  for (const double error : {0.1, 0.7, 2.0}) {
    int accepted = 0;
    for (std::uint64_t i = 0; i < kTrials; ++i) {
      accepted += metropolis(error, Key(3).fold(i)).accepted ? 1 : 0;
    }
    statistics::expect_mean(accepted / static_cast<double>(kTrials), kTrials, std::exp(-error), 0.02);
  }
}

TEST(Metropolis, RejectsWhatIsNoNumberAndCountsItAsDivergent) {
  for (std::uint64_t i = 0; i < 1000; ++i) {
    for (const double error : {kNan, -kNan, kInfinity}) {
      const Decision decision = metropolis(error, Key(i));
      EXPECT_FALSE(decision.accepted);
      EXPECT_TRUE(decision.divergent);
      EXPECT_EQ(decision.acceptance, 0.0);
    }
  }
}

TEST(Metropolis, DivergenceBeginsAboveItsBound) {
  EXPECT_FALSE(metropolis(kDivergence, Key(1)).divergent);
  EXPECT_TRUE(metropolis(std::nextafter(kDivergence, kInfinity), Key(1)).divergent);
  EXPECT_FALSE(metropolis(999.0, Key(1)).accepted);
}

TEST(Metropolis, DependsOnItsKeyAlone) {
  bool both[2] = {false, false};
  for (std::uint64_t i = 0; i < 100; ++i) {
    const bool first = metropolis(0.7, Key(i)).accepted;
    EXPECT_EQ(first, metropolis(0.7, Key(i)).accepted);
    both[first ? 1 : 0] = true;
  }
  EXPECT_TRUE(both[0] && both[1]);
}

}  // namespace
}  // namespace vaeguard::mcmc
