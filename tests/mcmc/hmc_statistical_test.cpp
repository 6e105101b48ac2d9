// HMC against closed forms: invariance, acceptance and jumps on a Gaussian, arrival from afar.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/mcmc/checks.h"
#include "tests/mcmc/replicates.h"
#include "tests/mcmc/toy_fields.h"
#include "vaeguard/mcmc/hmc.h"

namespace vaeguard::mcmc {
namespace {

TEST(HmcStatistical, LeavesACorrelatedGaussianInvariant) {
  const GaussianField field = GaussianField::correlated();
  const Setting setting{.step_size = 0.75};
  statistics::expect_holds(judge_invariance(Hmc({.leapfrog_steps = 4}), field, setting, kReplicates, Key(1)), 0.05);
}

TEST(HmcStatistical, LeavesAnAnisotropicGaussianInvariantUnderAMetric) {
  const GaussianField field = GaussianField::scaled({0.1, 1.0, 20.0});
  const Setting setting{.step_size = 1.2, .inverse_mass = {0.02F, 0.7F, 500.0F}};
  const Hmc kernel({.leapfrog_steps = 5, .jitter = 0.3});
  statistics::expect_holds(judge_invariance(kernel, field, setting, kReplicates, Key(2)), 0.05);
}

TEST(HmcStatistical, LeavesASkewedDensityInvariant) {
  const Hmc kernel({.leapfrog_steps = kSkewedSteps});
  const GumbelField field = skewed_field();
  const Setting setting = skewed_setting();
  const Outcome outcome = advance(kernel, field, exact_draws(field, 2000, Key(3)), setting, Key(4));
  EXPECT_GT(outcome.mean_acceptance, 0.5);
  EXPECT_LT(outcome.mean_acceptance, 0.9);  // rejections are exercised
  statistics::expect_holds(judge_invariance(kernel, field, setting, kReplicates, Key(5)), 0.05);
}

TEST(HmcStatistical, LeavesWhatRemainsOfACutDensityInvariant) {
  // Energies that are NaN or infinite beyond the cut are density zero, also for trajectories that come back.
  for (const double outside : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    const CutField field(0.4, outside);
    const Setting setting{.step_size = 0.6};
    const Outcome outcome =
        advance(Hmc({.leapfrog_steps = 4}), field, exact_draws(field, 2000, Key(6)), setting, Key(7));
    EXPECT_GT(outcome.divergences, 200);
    statistics::expect_holds(judge_invariance(Hmc({.leapfrog_steps = 4}), field, setting, kReplicates, Key(8)), 0.05);
  }
}

TEST(HmcStatistical, AcceptsAsOftenAsTheClosedFormSaysAndJumpsAsFar) {
  for (const auto& [step, steps] : {std::pair{1.2, 3}, std::pair{0.7, 2}, std::pair{1.6, 5}}) {
    SCOPED_TRACE(step);
    const GaussianChecks checks = check_gaussian(Hmc({.leapfrog_steps = steps}), step, steps);
    statistics::expect_mean(checks.acceptance, kReplicates, checks.expected_acceptance, 0.04);
    statistics::expect_holds(checks.jumps, 0.08);
  }
}

TEST(HmcStatistical, ArrivesFromAfar) {
  const Hmc kernel({.leapfrog_steps = kArrivalSteps});
  statistics::expect_holds(judge_arrival(kernel, GaussianField::correlated(), 4.0F), 0.05);
  statistics::expect_holds(judge_arrival(kernel, GumbelField({0.8, 1.0, 2.0}), -10.0F), 0.05);
}

TEST(HmcStatistical, WarmUpThenFrozenDrawsGiveTheDensity) {
  // Every chain tunes its own step size from afar; its state is then an arrived one, and frozen transitions keep it so.
  constexpr std::int64_t kChains = 20000;
  const GumbelField field({0.8, 1.0, 2.0});
  const Hmc kernel({.leapfrog_steps = 5});
  Matrix positions(kChains, 3);
  parallel_chunks(kChains, 64, 2, [&](std::int64_t first, std::int64_t count) {
    const Target target{field, consecutive(first, count)};
    const auto ignore = [](int, const State&, const Info&) {};
    Tuned tuned = warm_up(kernel, chain_keys(Key(20), first, count), target, identity_metric(count, 3),
                          make_state(target, Matrix(count, 3, -6.0F)), {.transitions = 40, .step_size = {}}, ignore);
    // The step size depends on where warm-up ended, so independent keys and some transitions come before the draw.
    const State last = sample(kernel, chain_keys(Key(21), first, count), target, std::move(tuned), 10, ignore);
    positions.assign(first, last.position);
  });
  statistics::expect_holds(judge_draws(field, positions), 0.05);
}

}  // namespace
}  // namespace vaeguard::mcmc
