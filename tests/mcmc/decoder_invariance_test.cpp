// Frozen HMC leaves the posteriors of real decoders invariant, with exact draws to start from and no tolerance to tune.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "tests/mcmc/mutants.h"
#include "tests/mcmc/small_decoder.h"
#include "tests/networks/bfloat16_here.h"
#include "vaeguard/mcmc/hmc.h"
#include "vaeguard/mcmc/warmup.h"
#include "vaeguard/models/checkpoint.h"
#include "vaeguard/models/conv_vae.h"

namespace vaeguard::mcmc {
namespace {

using models::Vae;
using models::VaeWeights;

TEST(SmallDecoderInvarianceStatistical, ExactDrawsRemainExactForBernoulli) {
  expect_small_decoder_stays_invariant(kBernoulli);
}

TEST(SmallDecoderInvarianceStatistical, ExactDrawsRemainExactForGaussian) {
  expect_small_decoder_stays_invariant(kGaussian);
}

TEST(SmallDecoderInvarianceStatistical, ExactDrawsRemainExactOnEveryBackend) {
  for (const networks::Backend* backend : networks::backends()) {
    SCOPED_TRACE(backend->name());
    expect_small_decoder_stays_invariant(kBernoulli, backend->name());
  }
}

TEST(SmallDecoderMutantsStatistical, FaultsThatBreakInvarianceAreRejectedOnADecoder) {
  const Vae vae(small_vae(kBernoulli));
  const Pairs pairs = draw_pairs(vae, kSmallReplicates, Key(32));
  const energy::PosteriorEnergy field(vae, pairs.images);
  const auto fresh = fresh_energies(vae, kSmallReplicates, Key(42));
  const auto judge = [&](Fault fault) {
    // The lost half kick is the largest part of a trajectory of a single step.
    const Mutant mutant(fault, fault == Fault::missing_half_kick ? 1 : kSmallSteps);
    return judge_pairs(advance(mutant, field, pairs.latents, small_setting(), Key(33)), fresh, Key(34));
  };
  EXPECT_FALSE(judge(Fault::none).rejected());
  for (const Fault fault : {Fault::wrong_accept_sign, Fault::missing_kinetic_energy, Fault::missing_half_kick,
                            Fault::metric_not_in_energy, Fault::stale_energy}) {
    const auto judgement = judge(fault);
    EXPECT_TRUE(judgement.rejected()) << static_cast<int>(fault) << "\n" << judgement.report();
  }
}

TEST(SmallDecoderMutantsStatistical, AKernelThatIgnoresTheImageIsRejected) {
  // Fresh prior draws are standard normal, too: only the energies can tell.
  const Vae vae(small_vae(kBernoulli));
  const Pairs pairs = draw_pairs(vae, kSmallReplicates, Key(32));
  const energy::PosteriorEnergy field(vae, pairs.images);
  const Matrix fresh = draw_pairs(vae, kSmallReplicates, Key(35)).latents;
  const Outcome outcome{fresh, energies(field, fresh)};
  EXPECT_TRUE(judge_pairs(outcome, fresh_energies(vae, kSmallReplicates, Key(42)), Key(34)).rejected());
}

/// The model of the repository if it is there, else the same architecture with weights that make x informative.
VaeWeights real_vae() {
  const std::filesystem::path file = std::filesystem::path(VAEGUARD_SOURCE_DIR) / "zoo" / "mnist_vae.safetensors";
  if (std::filesystem::exists(file)) {
    return models::load_checkpoint(file).vae;
  }
  VaeWeights weights = models::conv_vae({1, 28, 28}, kBernoulli, Key(36));
  scale_weights(weights.decoder, 2.3F);
  return weights;
}

constexpr std::int64_t kPilot = 32;

/// The step sizes that warm-up gives 32 chains on the real decoder, in rising order.
std::vector<double> tuned_steps(const Hmc& kernel, const Vae& vae) {
  const Pairs pilot = draw_pairs(vae, kPilot, Key(37));
  const energy::PosteriorEnergy field(vae, pilot.images);
  const Target target = first_functions(field, kPilot);
  Tuned tuned = warm_up(kernel, chain_keys(Key(38), 0, kPilot), target, identity_metric(kPilot, 64),
                        make_state(target, pilot.latents), {.transitions = 15, .step_size = {.target = 0.6}},
                        [](int, const State&, const Info&) {});
  std::ranges::sort(tuned.parameters.step_size);
  return tuned.parameters.step_size;
}

void expect_real_decoder_stays_invariant(networks::Precision precision) {
  // All 64 coordinates of 2,000 replicates together are 128,000 independent normals: 0.01 is seen in their law.
  constexpr std::int64_t kReal = 2000;
  const Hmc kernel({.leapfrog_steps = 4, .jitter = 0.2});
  const Vae vae(real_vae(), "auto", precision);
  ASSERT_EQ(vae.mixed(), precision == networks::Precision::bfloat16) << vae.layers()->refusal();
  // The step size is tuned on other replicates, so that it is a constant as far as the tested ones are concerned.
  const double step = tuned_steps(kernel, vae)[kPilot / 2];

  const Pairs pairs = draw_pairs(vae, kReal, Key(39));
  const energy::PosteriorEnergy field(vae, pairs.images);
  EXPECT_GT(information(field, pairs), 20.0);
  const Outcome outcome = advance(kernel, field, pairs.latents, {.step_size = step, .transitions = 2}, Key(40));
  EXPECT_GT(outcome.mean_acceptance, 0.3);
  EXPECT_LT(outcome.mean_acceptance, 0.98);
  statistics::expect_holds(judge_pairs(outcome, fresh_energies(vae, 3 * kReal, Key(43)), Key(41)), 0.2);
}

TEST(RealDecoderInvarianceStatistical, ExactPosteriorDrawsRemainExact) {
  expect_real_decoder_stays_invariant(networks::Precision::float32);
}

TEST(RealDecoderInvarianceStatistical, ExactPosteriorDrawsRemainExactWithRoughGradientsAndExactEnergies) {
  expect_real_decoder_stays_invariant(networks::Precision::bfloat16);
}

TEST(RealDecoderMixedStatistical, RoughGradientsCostLittleAcceptanceAndLeaveTheStepSize) {
  // Twenty steps, as the defence takes: errors of the gradients add up along a trajectory. Both sides use the same
  // pairs, keys and step size, so that what differs is the gradients, and the mean of 400 chains' differences has a
  // standard error below 0.01.
  constexpr std::int64_t kChains = 400;
  const Hmc kernel({.leapfrog_steps = 20});
  const Vae exact(real_vae());
  const Vae mixed(real_vae(), "auto", networks::Precision::bfloat16);
  const Pairs pairs = draw_pairs(exact, kChains, Key(44));
  const double step = tuned_steps(kernel, exact)[kPilot / 2];
  const double mixed_step = tuned_steps(kernel, mixed)[kPilot / 2];
  const auto acceptance = [&](const Vae& vae) {
    const energy::PosteriorEnergy field(vae, pairs.images);
    return advance(kernel, field, pairs.latents, {.step_size = step, .transitions = 1}, Key(45)).mean_acceptance;
  };
  const double of_exact = acceptance(exact);
  const double of_mixed = acceptance(mixed);
  RecordProperty("acceptance", std::to_string(of_exact) + " " + std::to_string(of_mixed));
  EXPECT_NEAR(of_mixed, of_exact, 0.05);
  EXPECT_NEAR(mixed_step / step, 1.0, 0.1);
}

}  // namespace
}  // namespace vaeguard::mcmc
