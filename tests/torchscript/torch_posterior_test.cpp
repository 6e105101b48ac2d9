// Posterior energies on libtorch against double precision, their trajectories against the host's, whole defences too.
#include "vaeguard/torchscript/torch_posterior.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <torch/cuda.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "tests/mcmc/small_decoder.h"
#include "tests/models/likelihood_options.h"
#include "tests/torchscript/residual_vae.h"
#include "vaeguard/base/error.h"
#include "vaeguard/defences/posterior_sampling.h"
#include "vaeguard/energy/maker.h"
#include "vaeguard/energy/posterior.h"
#include "vaeguard/models/conv_vae.h"
#include "vaeguard/plugins/torch_plugin.h"

namespace vaeguard::torchscript {
namespace {

using mcmc::kBernoulli;
using mcmc::kGaussian;
using mcmc::State;
using models::Likelihood;
using models::Vae;
using models::VaeWeights;

/// Everything below holds on a GPU as well, where trajectories are recorded.
std::vector<std::string> devices() {
  return torch::cuda::is_available() ? std::vector<std::string>{"cpu", "cuda"} : std::vector<std::string>{"cpu"};
}

std::string backend_on(const std::string& device) { return device == "cpu" ? "torch" : "torch_cuda"; }

Matrix random_images(std::int64_t count, std::int64_t pixels) {
  Matrix images(count, pixels);
  fill_uniform(Key(13), 0.0F, 1.0F, images.flat());
  return images;
}

Matrix normals(Key key, std::int64_t rows, std::int64_t columns) {
  Matrix matrix(rows, columns);
  fill_normal(key, matrix.flat());
  return matrix;
}

VaeWeights papers_vae(const Likelihood& likelihood) { return models::conv_vae({1, 28, 28}, likelihood, Key(11)); }

VaeWeights small_residual_vae(const Likelihood& likelihood) {
  VaeWeights weights = residual_vae();
  weights.likelihood = likelihood;
  return weights;
}

mcmc::Metric uneven_metric(std::int64_t chains, std::int64_t dimension) {
  mcmc::Metric metric = mcmc::identity_metric(chains, dimension);
  fill_uniform(Key(17), 0.5F, 1.5F, metric.inverse_mass.flat());
  return metric;
}

std::vector<double> uneven_steps(std::int64_t chains) {
  std::vector<double> steps;
  for (std::int64_t b = 0; b < chains; ++b) {
    steps.push_back(0.02 + 0.01 * static_cast<double>(b % 4));
  }
  return steps;
}

/// Float sums of up to 3,000 terms move each decoder output by 2.6e-5 of its size, near 1 here; the energy follows with
/// its slope there (at most 1, or 1 / variance) at every pixel, with random signs.
double energy_tolerance(const Likelihood& likelihood, std::int64_t pixels) {
  const double slope = 1.0 / models::variance_of(likelihood);
  return 2.6e-5 * slope * std::sqrt(static_cast<double>(pixels));
}

double norm_of(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) {
    sum += value * value;
  }
  return std::sqrt(sum);
}

void expect_agrees_with_double_precision(const VaeWeights& weights, const std::string& device) {
  const Vae vae(weights);
  const std::int64_t pixels = vae.image().size();
  const Matrix images = random_images(6, pixels);
  const auto field = make_torch_posterior(vae, images, device);
  ASSERT_EQ(field->size(), 6);
  ASSERT_EQ(field->dimension(), vae.latent_size());
  const Matrix latents = normals(Key(14), 4, vae.latent_size());
  std::vector<double> values(4);
  std::vector<double> alone(4);
  Matrix gradients;
  const auto functions = consecutive(2, 4);
  field->evaluate(functions, latents, values, &gradients);
  field->evaluate(functions, latents, alone, nullptr);
  for (std::int64_t b = 0; b < 4; ++b) {
    const auto row = latents.row(b);
    const std::vector<double> latent(row.begin(), row.end());
    std::vector<double> gradient;
    const double expected = energy::reference_energy(weights, images.row(2 + b), latent, &gradient);
    const auto i = static_cast<std::size_t>(b);
    EXPECT_NEAR(values[i], expected, energy_tolerance(weights.likelihood, pixels));
    EXPECT_NEAR(alone[i], expected, energy_tolerance(weights.likelihood, pixels));
    for (std::size_t d = 0; d < latent.size(); ++d) {
      EXPECT_NEAR(gradients.row(b)[d], gradient[d], 2.6e-5 * norm_of(gradient)) << b << ", " << d;
    }
  }
}

TEST(TorchPosterior, AgreesWithDoublePrecisionForBothLikelihoods) {
  for (const std::string& device : devices()) {
    for (const Likelihood& likelihood : {kBernoulli, kGaussian}) {
      expect_agrees_with_double_precision(papers_vae(likelihood), device);
      expect_agrees_with_double_precision(small_residual_vae(likelihood), device);
    }
  }
}

TEST(TorchPosterior, GradientsAloneAreThoseOfEvaluateBitForBit) {
  const Vae vae(papers_vae(kBernoulli));
  for (const std::string& device : devices()) {
    const auto field = make_torch_posterior(vae, random_images(5, 784), device);
    const Matrix latents = normals(Key(14), 3, 64);
    std::vector<double> values(3);
    Matrix together;
    Matrix alone;
    const auto functions = consecutive(1, 3);
    field->evaluate(functions, latents, values, &together);
    field->gradients(functions, latents, alone);
    EXPECT_EQ(alone, together);
  }
}

/// The energy of logits far from 0 is |l| and no infinity, as no sigmoid is taken on the way.
TEST(TorchPosterior, ExtremeLogitsKeepTheirEnergy) {
  VaeWeights weights = mcmc::small_vae(kBernoulli);
  mcmc::scale_weights(weights.decoder, 30.0F);
  const Vae vae(weights);
  const Matrix latents = normals(Key(3), 1, 4);
  const auto row = latents.row(0);
  for (const std::string& device : devices()) {
    const Matrix images(1, 40, 1.0F);
    std::vector<double> value(1);
    make_torch_posterior(vae, images, device)->evaluate(consecutive(0, 1), latents, value, nullptr);
    const double expected =
        energy::reference_energy(weights, images.row(0), std::vector<double>(row.begin(), row.end()), nullptr);
    ASSERT_GT(expected, 1000.0);
    EXPECT_NEAR(value[0], expected, 1e-5 * expected);
  }
}

/// Both fields start at the same states. Gradients differ by 2.6e-5 of their norm; after L steps of size e positions
/// differ by (L e)^2 / 2 of that and momenta by L e, times at most 1.5 for the metric. L e is 0.25 at most.
void expect_same_trajectories(const VaeWeights& weights, const std::string& device, int steps) {
  const std::vector<std::int64_t> functions{2, 3, 7, 5, 5};  // repeated and in no order
  constexpr std::int64_t kChains = 5;
  const Vae vae(weights, "native");
  const std::int64_t dimension = vae.latent_size();
  const Matrix images = random_images(8, vae.image().size());
  const energy::PosteriorEnergy host(vae, images);
  const auto field = make_torch_posterior(vae, images, device);
  const mcmc::Metric metric = uneven_metric(kChains, dimension);
  const auto run = [&](const ScalarField& energies, Matrix& momentum) {
    const mcmc::Target target{energies, functions};
    State state = mcmc::make_state(target, normals(Key(14), kChains, dimension));
    momentum = normals(Key(15), kChains, dimension);
    mcmc::leapfrog(target, metric, uneven_steps(kChains), steps, state, momentum);
    return state;
  };
  Matrix momentum;
  Matrix expected_momentum;
  const State expected = run(host, expected_momentum);
  const State found = run(*field, momentum);
  for (std::int64_t b = 0; b < kChains; ++b) {
    const auto gradient = expected.gradient.row(b);
    const double error = 1.5 * 2.6e-5 * (norm_of({gradient.begin(), gradient.end()}) + 1.0);
    for (std::int64_t d = 0; d < dimension; ++d) {
      EXPECT_NEAR(found.position(b, d), expected.position(b, d), error);
      EXPECT_NEAR(momentum(b, d), expected_momentum(b, d), error);
      EXPECT_NEAR(found.gradient(b, d), expected.gradient(b, d), 5.0 * error);  // the positions' error times curvature
    }
    const auto i = static_cast<std::size_t>(b);
    EXPECT_NEAR(found.energy[i], expected.energy[i], 5.0 * energy_tolerance(weights.likelihood, vae.image().size()));
  }
  EXPECT_NE(found.position, normals(Key(14), kChains, dimension));
}

TEST(TorchPosterior, TrajectoriesAreThoseOfTheHost) {
  for (const std::string& device : devices()) {
    for (const int steps : {1, 2, 5}) {
      expect_same_trajectories(papers_vae(kBernoulli), device, steps);
      expect_same_trajectories(small_residual_vae(kGaussian), device, steps);
    }
  }
}

TEST(TorchPosterior, TrajectoriesRunBackToTheirStart) {
  const Vae vae(mcmc::small_vae(kBernoulli));
  constexpr std::int64_t kChains = 20;
  for (const std::string& device : devices()) {
    const auto field = make_torch_posterior(vae, random_images(kChains, 40), device);
    const mcmc::Target target = mcmc::first_functions(*field, kChains);
    const Matrix start = normals(Key(1), kChains, 4);
    const Matrix first_momentum = normals(Key(2), kChains, 4);
    State state = mcmc::make_state(target, start);
    const State at_start = state;
    Matrix momentum = first_momentum;
    const mcmc::Metric metric = uneven_metric(kChains, 4);
    for (int way = 0; way < 2; ++way) {
      mcmc::leapfrog(target, metric, uneven_steps(kChains), 15, state, momentum);
      if (way == 0) {
        EXPECT_GT(std::abs(state.position(3, 0) - start(3, 0)), 0.05);
      }
      std::ranges::for_each(momentum.flat(), [](float& value) { value = -value; });
    }
    // 30 steps of a few float roundings, 6e-8 each of values and gradients up to 20, and little amplification: 1e-4.
    for (std::int64_t b = 0; b < kChains; ++b) {
      for (std::int64_t d = 0; d < 4; ++d) {
        EXPECT_NEAR(state.position(b, d), start(b, d), 1e-4);
        EXPECT_NEAR(momentum(b, d), first_momentum(b, d), 1e-4);
      }
      EXPECT_NEAR(state.energy[static_cast<std::size_t>(b)], at_start.energy[static_cast<std::size_t>(b)], 1e-2);
    }
  }
}

TEST(TorchPosterior, ALostChainGetsInfiniteEnergyAndTheOthersDoNotNotice) {
  const Vae vae(mcmc::small_vae(kGaussian));
  for (const std::string& device : devices()) {
    const auto field = make_torch_posterior(vae, random_images(3, 40), device);
    const mcmc::Target target = mcmc::first_functions(*field, 3);
    const auto run = [&](double step_of_second) {
      State state = mcmc::make_state(target, normals(Key(1), 3, 4));
      Matrix momentum = normals(Key(2), 3, 4);
      mcmc::leapfrog(target, mcmc::identity_metric(3, 4), std::vector{0.1, step_of_second, 0.1}, 4, state, momentum);
      return state;
    };
    const State good = run(0.1);
    const State lost = run(1e30);
    EXPECT_EQ(lost.energy[1], std::numeric_limits<double>::infinity());
    EXPECT_EQ(lost.gradient.slice(1, 1), Matrix(1, 4, 0.0F));
    for (const std::int64_t b : {0, 2}) {
      EXPECT_EQ(lost.position.slice(b, 1), good.position.slice(b, 1));
      EXPECT_TRUE(std::isfinite(lost.energy[static_cast<std::size_t>(b)]));
    }
  }
}

TEST(TorchPosterior, ThreadsMayShareAField) {
  const Vae vae(mcmc::small_vae(kBernoulli));
  for (const std::string& device : devices()) {
    const auto field = make_torch_posterior(vae, random_images(40, 40), device);
    const auto run = [&] {
      return mcmc::advance(mcmc::Hmc({.leapfrog_steps = 3}), *field, normals(Key(3), 40, 4), {.step_size = 0.1},
                           Key(4));
    };
    const mcmc::Outcome expected = run();
    std::vector<mcmc::Outcome> found(3);
    {
      std::vector<std::jthread> callers;
      for (mcmc::Outcome& outcome : found) {
        callers.emplace_back([&] { outcome = run(); });
      }
    }
    for (const mcmc::Outcome& outcome : found) {
      EXPECT_EQ(outcome.positions, expected.positions);
      EXPECT_EQ(outcome.energies, expected.energies);
    }
  }
}

TEST(TorchPosterior, OnlyAGpuAsksForManyChains) {
  const Vae vae(papers_vae(kBernoulli));
  for (const std::string& device : devices()) {
    const auto field = make_torch_posterior(vae, random_images(1, 784), device);
    if (device == "cpu") {
      EXPECT_EQ(field->preferred_chains(), 0);
    } else {
      EXPECT_GT(field->preferred_chains(), 1000);
    }
  }
}

TEST(TorchPosterior, TheMakerPicksItByTheNameOfTheBackend) {
  plugins::register_torch_backends();
  const VaeWeights weights = mcmc::small_vae(kBernoulli);
  const auto integrates = [&](const std::string& backend) {
    const Vae vae(weights, backend);
    return dynamic_cast<const mcmc::TrajectoryField*>(energy::make_posterior_energy(vae, random_images(2, 40)).get()) !=
           nullptr;
  };
  EXPECT_FALSE(integrates("native"));
  for (const std::string& device : devices()) {
    EXPECT_TRUE(integrates(backend_on(device)));
  }
}

TEST(TorchPosterior, RefusesWrongShapesAndUnknownDevices) {
  const Vae vae(mcmc::small_vae(kBernoulli));
  EXPECT_THROW((void)make_torch_posterior(vae, Matrix(2, 39), "cpu"), Misuse);
  EXPECT_THROW((void)make_torch_posterior(vae, Matrix(2, 40, std::nanf("")), "cpu"), Misuse);
  EXPECT_THROW((void)make_torch_posterior(vae, Matrix(2, 40), "abacus"), Misuse);
  const auto field = make_torch_posterior(vae, random_images(3, 40), "cpu");
  std::vector<double> values(3);
  Matrix gradients;
  const auto all = consecutive(0, 3);
  EXPECT_THROW(field->evaluate(all, Matrix(3, 5), values, nullptr), Misuse);
  EXPECT_THROW(field->evaluate(consecutive(1, 3), Matrix(3, 4), values, nullptr), Misuse);
  EXPECT_THROW(field->gradients(consecutive(-1, 3), Matrix(3, 4), gradients), Misuse);
  EXPECT_THROW(field->gradients(all, Matrix(2, 4), gradients), Misuse);
  State state = mcmc::make_state({*field, all}, Matrix(3, 4));
  Matrix momentum(3, 4);
  Matrix short_momentum(2, 4);
  const mcmc::Metric metric = mcmc::identity_metric(3, 4);
  EXPECT_THROW(field->leapfrog(all, metric, std::vector(3, 0.1), 2, state, short_momentum), Misuse);
  EXPECT_THROW(field->leapfrog(all, metric, std::vector(2, 0.1), 2, state, momentum), Misuse);
  EXPECT_THROW(field->leapfrog(all, mcmc::identity_metric(2, 4), std::vector(3, 0.1), 2, state, momentum), Misuse);
  EXPECT_THROW(field->leapfrog(consecutive(1, 3), metric, std::vector(3, 0.1), 2, state, momentum), Misuse);
}

TEST(TorchPosterior, TakesNoRows) {
  const Vae vae(mcmc::small_vae(kBernoulli));
  const auto field = make_torch_posterior(vae, random_images(3, 40), "cpu");
  Matrix gradients(2, 4);
  field->evaluate({}, Matrix(0, 4), {}, &gradients);
  EXPECT_EQ(gradients.rows(), 0);
  State state{Matrix(0, 4), {}, Matrix(0, 4)};
  Matrix momentum(0, 4);
  field->leapfrog({}, mcmc::identity_metric(0, 4), {}, 2, state, momentum);
  EXPECT_EQ(state.chains(), 0);
}

/// Mean over images of what the backends differ by, and its standard error.
struct Difference {
  double mean = 0.0;
  double error = 0.0;
};

Difference difference(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<double>(a.size());
  Difference result;
  double squares = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    result.mean += (a[i] - b[i]) / n;
    squares += (a[i] - b[i]) * (a[i] - b[i]) / n;
  }
  result.error = std::sqrt((squares - result.mean * result.mean) / n);
  return result;
}

TEST(TorchPosteriorStatistical, AWholeDefenceAgreesWithTheNativeBackends) {
  plugins::register_torch_backends();
  constexpr std::int64_t kImages = 100;
  const VaeWeights weights = mcmc::small_vae(kBernoulli);
  const Vae native(weights, "native");
  const Matrix images = mcmc::draw_pairs(native, kImages, Key(21)).images;
  const auto keys = mcmc::chain_keys(Key(22), 0, kImages);
  defences::PosteriorSamplingOptions options = defences::default_hmc();
  options.warmup = 10;
  options.transitions = 20;
  options.leapfrog_steps = 6;
  const auto defence = defences::make_posterior_sampling(options);
  const auto expected = defence->infer(native, images, keys, 2, silent_observer());
  for (const std::string& device : devices()) {
    const Vae vae(weights, backend_on(device));
    const auto found = defence->infer(vae, images, keys, 2, silent_observer());
    // The same keys, so chains part only where rounding has grown or turned an accept. Means of paired differences lie
    // within five standard errors but once in 2e6; 1e-4 stands for what all images share.
    const Difference drop = difference(found.energy_drop, expected.energy_drop);
    const Difference acceptance = difference(found.acceptance, expected.acceptance);
    RecordProperty("energy_drop", fmt::format("{} +- {}", drop.mean, drop.error));
    RecordProperty("acceptance", fmt::format("{} +- {}", acceptance.mean, acceptance.error));
    EXPECT_NEAR(drop.mean, 0.0, 5.0 * drop.error + 1e-4);
    EXPECT_LT(drop.error, 0.3);  // nats: the comparison sees such differences
    EXPECT_NEAR(acceptance.mean, 0.0, 5.0 * acceptance.error + 1e-4);
    EXPECT_LT(acceptance.error, 0.01);
  }
}

TEST(TorchPosteriorStatistical, ExactDrawsRemainExact) {
  plugins::register_torch_backends();
  for (const std::string& device : devices()) {
    for (const Likelihood& likelihood : {kBernoulli, kGaussian}) {
      mcmc::expect_small_decoder_stays_invariant(likelihood, backend_on(device), 2500);
    }
  }
}

}  // namespace
}  // namespace vaeguard::torchscript
