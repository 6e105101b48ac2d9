// Dual averaging: its first steps by hand and where it settles; the authors' rule.
#include "vaeguard/mcmc/step_size.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "vaeguard/base/error.h"

namespace vaeguard::mcmc {
namespace {

TEST(DualAveraging, StartsAtTheInitialStep) {
  const DualAveraging rule({.initial_step_size = 0.3});
  EXPECT_NEAR(rule.exploring(), 0.3, 1e-15);
  EXPECT_NEAR(rule.final(), 0.3, 1e-15);
}

TEST(DualAveraging, FirstStepsByHand) {
  // Start 0.1, so mu = log(10 * 0.1) = 0; target 0.8, gamma 0.05, t0 10, kappa 0.75.
  DualAveraging rule({.initial_step_size = 0.1});
  // t = 1, acceptance 1: error (0.8 - 1) / 11 = -1/55; log step = 20 / 55; the average has weight 1.
  rule.update(1.0);
  EXPECT_NEAR(std::log(rule.exploring()), 20.0 / 55.0, 1e-12);
  EXPECT_NEAR(std::log(rule.final()), 20.0 / 55.0, 1e-12);
  // t = 2, acceptance 0: error -1/55 * 11/12 + 0.8 / 12 = 0.05; log step = -20 sqrt(2) 0.05 = -sqrt(2).
  rule.update(0.0);
  const double eta = std::pow(2.0, -0.75);
  EXPECT_NEAR(std::log(rule.exploring()), -std::numbers::sqrt2, 1e-12);
  EXPECT_NEAR(std::log(rule.final()), -eta * std::numbers::sqrt2 + (1.0 - eta) * 20.0 / 55.0, 1e-12);
}

TEST(DualAveraging, SettlesWhereAcceptanceIsOnTarget) {
  // Acceptance exp(-step) without noise: the answer is -log(target), whatever the start. By its construction the rule
  // has a mean error of gamma |log(10 start / step)| / sqrt(t), here 0.05 * 7 / 140 = 0.0025 of acceptance, which is
  // 0.05 of the step where the target is 0.95.
  for (const double target : {0.6, 0.8, 0.95}) {
    for (const double start : {1e-3, 0.1, 5.0}) {
      DualAveraging rule({.initial_step_size = start, .target = target});
      for (int t = 0; t < 20000; ++t) {
        rule.update(std::exp(-rule.exploring()));
      }
      EXPECT_NEAR(rule.final() / -std::log(target), 1.0, 0.05) << target << " from " << start;
    }
  }
}

TEST(DualAveraging, MovesUpWhenAllIsAcceptedAndDownWhenNothingIs) {
  DualAveraging up({.initial_step_size = 0.1});
  DualAveraging down({.initial_step_size = 0.1});
  for (int t = 0; t < 20; ++t) {
    up.update(1.0);
    down.update(0.0);
  }
  EXPECT_GT(up.final(), 1.0);
  EXPECT_LT(down.final(), 1e-3);
}

TEST(DualAveraging, RefusesOptionsThatMakeNoSense) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double step : {0.0, -0.1, nan, infinity}) {
    EXPECT_THROW(DualAveraging({.initial_step_size = step}), Misuse);
    EXPECT_THROW(DualAveraging({.aim = step}), Misuse);
  }
  for (const double target : {0.0, 1.0, -0.5, nan}) {
    EXPECT_THROW(DualAveraging({.target = target}), Misuse);
  }
}

TEST(PublishedStepSize, IsTheAuthorsRule) {
  EXPECT_DOUBLE_EQ(published_step_size(0.1, 0.9, 0.9), 0.1);
  EXPECT_DOUBLE_EQ(published_step_size(0.1, 1.0, 0.8), 0.1 * (1.0 + 0.01 * 0.25));
  EXPECT_DOUBLE_EQ(published_step_size(0.2, 0.0, 0.9), 0.2 * 0.99);
}

}  // namespace
}  // namespace vaeguard::mcmc
