// A decoder small enough for tens of thousands of replicates, and the invariance that HMC on it must show.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string_view>

#include "tests/mcmc/decoder_replicates.h"
#include "vaeguard/energy/maker.h"
#include "vaeguard/mcmc/hmc.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::mcmc {

using models::Likelihood;
using models::Vae;
using models::VaeWeights;

inline const Likelihood kBernoulli = models::bernoulli();
inline const Likelihood kGaussian = models::gaussian(0.5);

inline void scale_weights(networks::LayerGraph& graph, float factor) {
  for (const networks::Layer& layer : graph.layers) {
    for (float& value : graph.weight(layer)) {
      value *= factor;
    }
  }
}

/// Four latents, a hidden layer of 24 ReLUs, 40 pixels.
inline VaeWeights small_vae(const Likelihood& likelihood) {
  VaeWeights weights{.architecture = "small",
                     .encoder = {.inputs = {{40, 1, 1}}},
                     .decoder = {.inputs = {{4, 1, 1}}},
                     .likelihood = likelihood};
  weights.encoder.add(networks::Operation::convolution, {.channels = 8});
  weights.decoder.add(networks::Operation::convolution, {.channels = 24, .activation = networks::Activation::relu})
      .add(networks::Operation::convolution, {.channels = 40});
  fill_normal(Key(31), weights.decoder.parameters);
  scale_weights(weights.decoder, likelihood.name() == "bernoulli" ? 0.4F : 0.22F);
  return weights;
}

inline constexpr std::int64_t kSmallReplicates = 20000;
inline constexpr int kSmallSteps = 5;
inline Setting small_setting() {
  return {.step_size = 0.55, .inverse_mass = {0.6F, 1.0F, 1.4F, 0.8F}, .transitions = 8};
}

/// The false-fail rate is that of judge_pairs. `chunk` chains go together: a backend with costly calls wants many.
inline void expect_small_decoder_stays_invariant(const Likelihood& likelihood, std::string_view backend = "auto",
                                                 std::int64_t chunk = 64) {
  const Vae vae(small_vae(likelihood), backend);
  ASSERT_TRUE(backend == "auto" || vae.layers()->decoder().backend() == backend);
  const Pairs pairs = draw_pairs(vae, kSmallReplicates, Key(32));
  const std::unique_ptr<ScalarField> made = energy::make_posterior_energy(vae, pairs.images);
  const ScalarField& field = *made;
  EXPECT_GT(information(field, pairs), 5.0);  // the posterior is much narrower than the prior
  const Outcome outcome =
      advance(Hmc({.leapfrog_steps = kSmallSteps}), field, pairs.latents, small_setting(), Key(33), chunk);
  EXPECT_GT(outcome.mean_acceptance, 0.5);
  EXPECT_LT(outcome.mean_acceptance, 0.95);
  statistics::expect_holds(judge_pairs(outcome, fresh_energies(vae, kSmallReplicates, Key(42)), Key(34)), 0.08);
}

/// The same for another kernel, on the Bernoulli decoder; `scale` multiplies the setting's step size.
template <Kernel K>
void expect_small_decoder_stays_invariant(const K& kernel, double scale) {
  const Vae vae(small_vae(kBernoulli));
  const Pairs pairs = draw_pairs(vae, kSmallReplicates, Key(32));
  const energy::PosteriorEnergy field(vae, pairs.images);
  Setting setting = small_setting();
  setting.step_size *= scale;
  const Outcome outcome = advance(kernel, field, pairs.latents, setting, Key(46));
  EXPECT_GT(outcome.mean_acceptance, 0.4);
  EXPECT_LT(outcome.mean_acceptance, 0.98);
  statistics::expect_holds(judge_pairs(outcome, fresh_energies(vae, kSmallReplicates, Key(47)), Key(48)), 0.08);
}

}  // namespace vaeguard::mcmc
