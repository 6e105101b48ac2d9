// MALA: its proposal and acceptance as the definition has them, its cost, and the law that it keeps.
#include "vaeguard/mcmc/mala.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/mcmc/kernel_suite.h"
#include "tests/mcmc/mutants.h"
#include "tests/mcmc/small_decoder.h"

namespace vaeguard::mcmc {
namespace {

TEST(Mala, ProposesAndAcceptsByTheLangevinDensities) {
  // The definition in double precision: q(.|z) = N(z - e^2/2 M^-1 grad U(z), e^2 M^-1).
  constexpr std::int64_t kChains = 200;
  const GumbelField field({0.5, 1.0, 2.0});
  const Target target = first_functions(field, kChains);
  const Setting setting{.step_size = 0.6, .inverse_mass = {0.3F, 1.0F, 5.0F}};
  const Parameters parameters = parameters_of(setting, kChains, 3);
  const State start = make_state(target, exact_draws(field, kChains, Key(1)));
  const auto keys = chain_keys(Key(2), 0, kChains);
  State state = start;
  const Info info = Mala().step(keys, target, parameters, state);
  for (std::int64_t b = 0; b < kChains; ++b) {
    const auto i = static_cast<std::size_t>(b);
    std::vector<float> noise(3);
    fill_normal(keys[i].fold("momentum"), noise);
    Matrix proposed(1, 3);
    for (std::int64_t d = 0; d < 3; ++d) {
      const double variance = setting.inverse_mass[static_cast<std::size_t>(d)];
      proposed(0, d) = static_cast<float>(start.position(b, d) - 0.18 * variance * start.gradient(b, d) +
                                          0.6 * std::sqrt(variance) * noise[static_cast<std::size_t>(d)]);
    }
    const State there = make_state(first_functions(field, 1), proposed);
    double log_ratio = start.energy[i] - there.energy[0];
    for (std::int64_t d = 0; d < 3; ++d) {
      const double variance = setting.inverse_mass[static_cast<std::size_t>(d)];
      const double back = start.position(b, d) - (proposed(0, d) - 0.18 * variance * there.gradient(0, d));
      const double forth = proposed(0, d) - (start.position(b, d) - 0.18 * variance * start.gradient(b, d));
      log_ratio += (forth * forth - back * back) / (2.0 * 0.36 * variance);
    }
    EXPECT_NEAR(info.energy_error[i], -log_ratio, 1e-3 + 1e-4 * std::abs(log_ratio));  // float positions and momenta
    for (std::int64_t d = 0; d < 3; ++d) {
      const float expected = info.accepted[i] != 0 ? proposed(0, d) : start.position(b, d);
      EXPECT_NEAR(state.position(b, d), expected, 1e-5 * (1.0 + std::abs(expected)));
    }
  }
}

TEST(Mala, CostsOneGradient) {
  const GaussianField field = GaussianField::standard(2);
  const Target target = first_functions(field, 4);
  State state = make_state(target, Matrix(4, 2, 1.0F));
  field.evaluations = 0;
  const Info info = Mala().step(chain_keys(Key(1), 0, 4), target, parameters_of({}, 4, 2), state);
  EXPECT_EQ(field.evaluations, 4);
  EXPECT_EQ(info.gradients, std::vector<int>(4, 1));
}

TEST(MalaStatistical, LeavesEveryDensityInvariantUnderEveryMetric) { expect_exact(Mala(), 1.0, 61); }

TEST(MalaStatistical, LeavesAPosteriorOfADecoderInvariant) { expect_small_decoder_stays_invariant(Mala(), 1.6); }

TEST(MalaStatistical, AcceptsAsOftenAsTheClosedFormSaysAndJumpsAsFar) {
  const GaussianChecks checks = check_gaussian(Mala(), 1.2, 1);
  statistics::expect_mean(checks.acceptance, kReplicates, checks.expected_acceptance, 0.04);
  statistics::expect_holds(checks.jumps, 0.08);
}

TEST(MalaMutantsStatistical, AProposalWithoutItsDensityIsRejected) {
  // exp(U(z) - U(z')) alone: Metropolis for a symmetric proposal, which this is not.
  const auto judge = [](Fault fault) {
    return judge_invariance(Mutant(fault, 1), skewed_field(), skewed_setting(), kReplicates, Key(62));
  };
  EXPECT_FALSE(judge(Fault::none).rejected());
  const auto judgement = judge(Fault::missing_kinetic_energy);
  EXPECT_TRUE(judgement.rejected()) << judgement.report();
  EXPECT_GT(judgement.largest_distance(), judgement.smallest_detectable());
}

}  // namespace
}  // namespace vaeguard::mcmc
