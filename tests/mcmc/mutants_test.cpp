// Tests of the tests: every mutant of HMC is rejected by the test that is there to find it.
#include "tests/mcmc/mutants.h"

#include <gtest/gtest.h>

#include "tests/mcmc/checks.h"
#include "tests/mcmc/kernel_mutants.h"

namespace vaeguard::mcmc {
namespace {

statistics::Judgement judge_skewed(Fault fault) {
  return judge_invariance(Mutant(fault, kSkewedSteps), skewed_field(), skewed_setting(), kReplicates, Key(5));
}

TEST(MutantsStatistical, WithoutAFaultNothingIsRejected) {
  statistics::expect_holds(judge_skewed(Fault::none), 0.05);
  const GaussianChecks checks = check_gaussian(Mutant(Fault::none, 3), 1.2, 3);
  statistics::expect_mean(checks.acceptance, kReplicates, checks.expected_acceptance, 0.04);
  statistics::expect_holds(checks.jumps, 0.08);
  statistics::expect_holds(judge_arrival(Mutant(Fault::none, kArrivalSteps), GaussianField::correlated(), 4.0F), 0.05);
}

/// Not by a hair: a discrepancy of the smallest detectable size would be found with other random numbers, too.
void expect_rejected_by_the_skewed_density(Fault fault) {
  const statistics::Judgement judgement = judge_skewed(fault);
  EXPECT_TRUE(judgement.rejected()) << judgement.report();
  EXPECT_GT(judgement.largest_distance(), judgement.smallest_detectable());
}

TEST(InvarianceMutantsStatistical, WrongAcceptSignIsRejected) {
  expect_rejected_by_the_skewed_density(Fault::wrong_accept_sign);
}

TEST(InvarianceMutantsStatistical, MissingKineticEnergyIsRejected) {
  expect_rejected_by_the_skewed_density(Fault::missing_kinetic_energy);
}

TEST(InvarianceMutantsStatistical, MissingHalfKickIsRejected) {
  expect_rejected_by_the_skewed_density(Fault::missing_half_kick);
}

TEST(InvarianceMutantsStatistical, MetricNotInEnergyIsRejected) {
  expect_rejected_by_the_skewed_density(Fault::metric_not_in_energy);
}

TEST(InvarianceMutantsStatistical, StaleEnergyIsRejected) {
  expect_rejected_by_the_skewed_density(Fault::stale_energy);
}

TEST(InvarianceMutantsStatistical, AStepSizeThatFollowsTheDrawsIsRejected) {
  const AdaptingMutant mutant(Mutant(Fault::none, 1));
  // Rejected more often at the wall: there the chains stay too long.
  const Setting setting{.step_size = 1.6, .transitions = 8};
  const auto judgement = judge_invariance(mutant, GumbelField({1.0}), setting, kReplicates, Key(5));
  EXPECT_TRUE(judgement.rejected()) << judgement.report();
  EXPECT_GT(judgement.largest_distance(), judgement.smallest_detectable());
}

TEST(MixingMutantsStatistical, AnIdentityKernelNeverArrivesNorJumps) {
  EXPECT_FALSE(judge_skewed(Fault::identity).rejected());  // invariance alone cannot see it
  EXPECT_TRUE(judge_arrival(Mutant(Fault::identity, kArrivalSteps), GaussianField::correlated(), 4.0F).rejected());
  EXPECT_TRUE(check_gaussian(Mutant(Fault::identity, 3), 1.2, 3).jumps.rejected());
}

TEST(MixingMutantsStatistical, AMomentumThatIsNeverRefreshedNeverArrives) {
  EXPECT_FALSE(judge_skewed(Fault::momentum_never_refreshed).rejected());
  const Mutant mutant(Fault::momentum_never_refreshed, kArrivalSteps);
  const auto judgement = judge_arrival(mutant, GaussianField::correlated(), 4.0F);
  EXPECT_TRUE(judgement.rejected());
  EXPECT_GT(judgement.largest_distance(), judgement.smallest_detectable());
}

TEST(MixingMutantsStatistical, AScaledGradientShowsInAcceptanceAndJumps) {
  EXPECT_FALSE(judge_skewed(Fault::scaled_gradient).rejected());
  const GaussianChecks checks = check_gaussian(Mutant(Fault::scaled_gradient, 3), 1.2, 3);
  EXPECT_GT(std::abs(checks.acceptance - checks.expected_acceptance),
            2.0 * statistics::hoeffding_radius(kReplicates, statistics::kFalseFailRate));
  EXPECT_TRUE(checks.jumps.rejected());
}

}  // namespace
}  // namespace vaeguard::mcmc
