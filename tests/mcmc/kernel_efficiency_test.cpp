// A measurement rather than a test, and so disabled: effective draws per gradient of every kernel on the real decoder.
//
// mcmc_test --gtest_also_run_disabled_tests --gtest_filter='*KernelEfficiency*' prints the tables of docs/adr/0008.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "tests/mcmc/decoder_replicates.h"
#include "vaeguard/mcmc/diagnostics.h"
#include "vaeguard/mcmc/dynamic_hmc.h"
#include "vaeguard/mcmc/generalised_hmc.h"
#include "vaeguard/mcmc/hmc.h"
#include "vaeguard/mcmc/mala.h"
#include "vaeguard/mcmc/warmup.h"
#include "vaeguard/models/checkpoint.h"

namespace vaeguard::mcmc {
namespace {

constexpr std::int64_t kImages = 16;
constexpr double kGradients = 600.0;  // an image, after warm-up
constexpr auto kIgnore = [](int, const State&, const Info&) {};

/// Sixteen images drawn from the model, one chain each.
class Bench {
 public:
  Bench()
      : vae_(models::load_checkpoint(std::filesystem::path(VAEGUARD_SOURCE_DIR) / "zoo" / "mnist_vae.safetensors").vae),
        pairs_(draw_pairs(vae_, kImages, Key(7))),
        field_(vae_, pairs_.images),
        encoding_(vae_.encode(pairs_.images)) {}

  [[nodiscard]] Metric encoder_metric() const {
    Metric metric = identity_metric(kImages, vae_.latent_size());
    std::ranges::transform(encoding_.log_variance.values(), metric.inverse_mass.data(),
                           [](float log_variance) { return std::exp(log_variance); });
    return metric;
  }
  [[nodiscard]] Target target() const { return first_functions(field_, kImages); }
  /// Exact draws of the posteriors, for kernels that are compared when they have arrived.
  [[nodiscard]] State arrived() const { return make_state(target(), pairs_.latents); }
  /// Where a defence starts.
  [[nodiscard]] State start() const { return make_state(target(), encoding_.mean); }

  /// Samples and prints a row: effective draws per thousand gradients of a latent coordinate (mean over all, and of
  /// each image's slowest), of its squared deviation and of the energy.
  template <Kernel K>
  void print(const std::string& name, const K& kernel, Tuned tuned) const {
    std::vector<Matrix> draws;
    Chains energies(kImages);
    const double steps = mean(tuned.parameters.step_size);
    const auto before = tuned.gradients;
    double gradients = 0.0;
    double acceptance = 0.0;
    const auto keys = chain_keys(Key(9), 0, kImages);
    State state = std::move(tuned.state);
    for (std::uint64_t t = 0; gradients < kGradients * kImages; ++t) {
      const Info info = kernel.step(step_keys(keys, t), target(), tuned.parameters, state);
      draws.push_back(state.position);
      for (std::size_t b = 0; b < kImages; ++b) {
        gradients += info.gradients[b];
        acceptance += info.acceptance[b] / kImages;
        energies[b].push_back(state.energy[b]);
      }
    }
    double all = 0.0;
    double slowest = 0.0;
    double squares = 0.0;
    double of_energy = 0.0;
    for (std::int64_t b = 0; b < kImages; ++b) {
      double least = std::numeric_limits<double>::infinity();
      for (std::int64_t d = 0; d < vae_.latent_size(); ++d) {
        Chains chain = coordinate(draws, b, 1, d);
        const double ess = mean_ess(chain);
        all += ess / static_cast<double>(vae_.latent_size());
        least = std::min(least, ess);
        const double centre = mean(chain[0]);
        std::ranges::transform(chain[0], chain[0].begin(), [=](double z) { return (z - centre) * (z - centre); });
        squares += mean_ess(chain) / static_cast<double>(vae_.latent_size());
      }
      slowest += least;
      of_energy += mean_ess({energies[static_cast<std::size_t>(b)]});
    }
    const double scale = 1000.0 / gradients;
    fmt::print("| {} | {:.0f} | {:.3f} | {:.2f} | {:.1f} | {:.0f} | {:.0f} | {:.0f} | {:.0f} |\n", name,
               mean({before.begin(), before.end()}), steps, acceptance / static_cast<double>(draws.size()),
               gradients / static_cast<double>(kImages) / static_cast<double>(draws.size()), scale * all,
               scale * slowest, scale * squares, scale * of_energy);
  }

 private:
  static double mean(const std::vector<double>& values) {
    double sum = 0.0;
    for (const double value : values) {
      sum += value / static_cast<double>(values.size());
    }
    return sum;
  }

  models::Vae vae_;
  Pairs pairs_;
  energy::PosteriorEnergy field_;
  models::Encoding encoding_;
};

void print_header() {
  fmt::print("| kernel | warm-up gradients | step | acceptance | gradients a draw | z | slowest z | z^2 | U |\n");
}

TEST(DISABLED_KernelEfficiency, OfTunedKernels) {
  const Bench bench;
  print_header();
  const auto run = [&](const std::string& name, const auto& kernel, double step, double acceptance) {
    const WarmupOptions options{.transitions = 80, .step_size = {.initial_step_size = step, .target = acceptance}};
    bench.print(name, kernel,
                warm_up(kernel, chain_keys(Key(8), 0, kImages), bench.target(), bench.encoder_metric(), bench.arrived(),
                        options, kIgnore));
  };
  for (const int steps : {4, 6, 12}) {
    run(fmt::format("Hmc, {} steps", steps), Hmc({.leapfrog_steps = steps, .jitter = 0.2}), 0.3, 0.65);
  }
  for (const double shortest : {0.0, 0.5, 0.75}) {
    run(fmt::format("DynamicHmc, shortest {}", shortest), DynamicHmc({.shortest = shortest}), 0.3, 0.65);
  }
  run("Mala", Mala(), 0.2, Mala::target_acceptance);
  for (const double persistence : {0.8, 0.95}) {
    run(fmt::format("GeneralisedHmc, persistence {}", persistence), GeneralisedHmc({.persistence = persistence}), 0.2,
        0.9);
  }
}

TEST(DISABLED_KernelEfficiency, AfterShortWarmUps) {
  const Bench bench;
  print_header();
  const auto run = [&](const std::string& name, bool encoder, int steps, const WarmupOptions& options, bool learn) {
    const Hmc kernel({.leapfrog_steps = steps, .jitter = 0.2});
    const auto keys = chain_keys(Key(18), 0, kImages);
    const Metric metric = encoder ? bench.encoder_metric() : identity_metric(kImages, 64);
    Tuned tuned = warm_up(kernel, keys, bench.target(), metric, bench.start(), options, kIgnore);
    if (learn) {
      tuned = learn_lengths(keys, bench.target(), std::move(tuned), {}, kIgnore);
    }
    bench.print(name, kernel, std::move(tuned));
  };
  const WarmupOptions plain{.transitions = 20, .step_size = {.initial_step_size = 0.3}};
  const WarmupOptions brief{.transitions = 8, .step_size = {.initial_step_size = 0.3, .target = 0.65}};
  WarmupOptions full{
      .transitions = 16, .step_size = {.initial_step_size = 0.3, .target = 0.65, .aim = 3.0}, .first_step_trials = 4};
  run("encoder metric, 20 x 12", true, 12, plain, false);
  run("encoder metric, 8 x 5", true, 5, brief, false);
  run("encoder metric, 16 x 5, first step", true, 5, full, false);
  run("identity, 16 x 5, first step", false, 5, full, false);
  full.learn_metric = true;
  run("encoder metric, 16 x 5, first step, metric", true, 5, full, false);
  run("identity, 16 x 5, first step, metric", false, 5, full, false);
  run("encoder metric, 16 x 5, first step, metric, lengths", true, 5, full, true);
  run("identity, 16 x 5, first step, metric, lengths", false, 5, full, true);
}

}  // namespace
}  // namespace vaeguard::mcmc
