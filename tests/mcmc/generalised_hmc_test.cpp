// Generalised HMC: how momentum persists and turns, batch independence, and the law of position and momentum.
#include "vaeguard/mcmc/generalised_hmc.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/mcmc/kernel_mutants.h"
#include "tests/mcmc/kernel_suite.h"
#include "tests/mcmc/small_decoder.h"
#include "vaeguard/base/error.h"
#include "vaeguard/mcmc/hmc.h"

namespace vaeguard::mcmc {
namespace {

TEST(GeneralisedHmc, WithoutPersistenceItIsHmc) {
  const GumbelField field({0.5, 1.0, 2.0});
  const Setting setting{.step_size = 0.5, .inverse_mass = {0.3F, 1.0F, 5.0F}, .transitions = 4};
  const Matrix start = exact_draws(field, 100, Key(1));
  const Outcome plain = advance(Hmc({.leapfrog_steps = 3}), field, start, setting, Key(2));
  const Outcome general =
      advance(GeneralisedHmc({.leapfrog_steps = 3, .persistence = 0.0}), field, start, setting, Key(2));
  EXPECT_EQ(plain.positions, general.positions);
}

TEST(GeneralisedHmc, AcceptedMomentumGoesOnAndRejectedMomentumTurns) {
  constexpr std::int64_t kChains = 300;
  const GumbelField field({0.5, 1.0, 2.0});
  const Target target = first_functions(field, kChains);
  const Parameters parameters = parameters_of({.step_size = 0.9}, kChains, 3);
  const GeneralisedHmc kernel({.leapfrog_steps = 2, .persistence = 0.8});
  const auto keys = chain_keys(Key(3), 0, kChains);
  State state = make_state(target, exact_draws(field, kChains, Key(4)));
  draw_momentum(parameters.metric, fold_all(keys, "first"), state.momentum);
  const State before = state;
  const Info info = kernel.step(keys, target, parameters, state);
  int rejected = 0;
  for (std::int64_t b = 0; b < kChains; ++b) {
    std::vector<float> noise(3);
    fill_normal(keys[static_cast<std::size_t>(b)].fold("momentum"), noise);
    for (std::int64_t d = 0; d < 3; ++d) {
      const double refreshed = 0.8 * before.momentum(b, d) + 0.6 * noise[static_cast<std::size_t>(d)];
      if (info.accepted[static_cast<std::size_t>(b)] == 0) {
        EXPECT_NEAR(state.momentum(b, d), -refreshed, 1e-6);
      } else {
        EXPECT_NE(state.momentum(b, d), before.momentum(b, d));
      }
    }
    rejected += info.accepted[static_cast<std::size_t>(b)] == 0 ? 1 : 0;
  }
  EXPECT_GT(rejected, 30);
  EXPECT_LT(rejected, 270);
  EXPECT_EQ(info.gradients, std::vector<int>(kChains, 2));
}

TEST(GeneralisedHmc, AChainIsBitwiseTheSameInAnyBatch) {
  const GumbelField field({0.5, 1.0, 2.0});
  const Setting setting{.step_size = 0.6, .transitions = 6};
  const GeneralisedHmc kernel({});
  const Matrix start = exact_draws(field, 30, Key(5));
  const Outcome all = advance(kernel, field, start, setting, Key(6), 30);
  for (const std::int64_t batch : {1, 7}) {
    const Outcome parts = advance(kernel, field, start, setting, Key(6), batch);
    EXPECT_EQ(all.positions, parts.positions);
    EXPECT_EQ(all.energies, parts.energies);
  }
}

TEST(GeneralisedHmcStatistical, LeavesEveryDensityInvariantUnderEveryMetric) {
  expect_exact(GeneralisedHmc({.leapfrog_steps = 1, .persistence = 0.7}), 1.0, 63);
  expect_exact(GeneralisedHmc({.leapfrog_steps = 3, .persistence = 0.9}), 0.7, 64);
}

TEST(GeneralisedHmcStatistical, LeavesAPosteriorOfADecoderInvariant) {
  expect_small_decoder_stays_invariant(GeneralisedHmc({.leapfrog_steps = 1, .persistence = 0.8}), 1.4);
}

TEST(GeneralisedHmcStatistical, LeavesTheMomentumNormalAndIndependentOfThePosition) {
  const GumbelField field = skewed_field();
  const Matrix start = exact_draws(field, kReplicates, Key(7));
  const auto keys = chain_keys(Key(8), 0, kReplicates);
  Parameters parameters = parameters_of(skewed_setting(), kReplicates, 3);
  const GeneralisedHmc kernel({.leapfrog_steps = 1, .persistence = 0.7});
  const Target target = first_functions(field, kReplicates);
  State state = make_state(target, start);
  for (std::uint64_t t = 0; t < 6; ++t) {
    (void)kernel.step(step_keys(keys, t), target, parameters, state);
  }
  statistics::Judgement judgement;
  for (std::int64_t d = 0; d < 3; ++d) {
    std::vector<double> momenta;
    std::vector<double> sums;  // of two independent uniforms, modulo 1: uniform
    for (std::int64_t b = 0; b < kReplicates; ++b) {
      const double p = state.momentum(b, d) * std::sqrt(parameters.metric.inverse_mass(b, d));
      const double u = field.uniform(state.position.row(b), d);
      momenta.push_back(statistics::normal_cdf(p));
      const double shifted = u + momenta.back();
      sums.push_back(shifted - std::floor(shifted));
    }
    judgement.add_uniform("momentum", std::move(momenta));
    judgement.add_uniform("position and momentum", std::move(sums));
  }
  statistics::expect_holds(judgement, 0.05);
}

TEST(GeneralisedHmcMutantsStatistical, AMomentumThatDoesNotTurnOnRejectionIsRejected) {
  const auto judge = [](GeneralisedFault fault) {
    return judge_invariance(GeneralisedMutant(fault, 1, 0.9), skewed_field(), skewed_setting(), kReplicates, Key(65));
  };
  EXPECT_FALSE(judge(GeneralisedFault::none).rejected());
  for (const GeneralisedFault fault : {GeneralisedFault::no_flip, GeneralisedFault::noise_not_scaled}) {
    const auto judgement = judge(fault);
    EXPECT_TRUE(judgement.rejected()) << judgement.report();
    EXPECT_GT(judgement.largest_distance(), judgement.smallest_detectable());
  }
}

TEST(GeneralisedHmc, RefusesOptionsAndMomentaThatMakeNoSense) {
  EXPECT_THROW(GeneralisedHmc({.leapfrog_steps = 0}), Misuse);
  EXPECT_THROW(GeneralisedHmc({.persistence = 1.0}), Misuse);
  EXPECT_THROW(GeneralisedHmc({.persistence = -0.1}), Misuse);
  EXPECT_THROW(GeneralisedHmc({.persistence = std::numeric_limits<double>::quiet_NaN()}), Misuse);
  const GaussianField field = GaussianField::standard(2);
  const Target target = first_functions(field, 3);
  State state = make_state(target, Matrix(3, 2));
  state.momentum = Matrix(2, 2);
  EXPECT_THROW((void)GeneralisedHmc({}).step(chain_keys(Key(1), 0, 3), target, parameters_of({}, 3, 2), state), Misuse);
}

}  // namespace
}  // namespace vaeguard::mcmc
