// The generalised HMC transition: partial refreshment, leapfrog, Metropolis, flip on rejection.
#include "vaeguard/mcmc/generalised_hmc.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "vaeguard/base/error.h"
#include "vaeguard/mcmc/proposal.h"
#include "vaeguard/mcmc/registry.h"

namespace vaeguard::mcmc {
namespace {

// p <- a p + sqrt(1 - a^2) n
void refresh(double persistence, const Metric& metric, std::span<const Key> keys, Matrix& momentum) {
  Matrix noise;
  draw_momentum(metric, keys, noise);
  if (momentum.empty()) {
    momentum = std::move(noise);
    return;
  }
  check_shape("mcmc.generalised_hmc", "momentum", momentum, noise.rows(), noise.columns());
  const auto keep = static_cast<float>(persistence);
  const auto add = static_cast<float>(std::sqrt(1.0 - persistence * persistence));
  std::ranges::transform(momentum.values(), noise.values(), momentum.data(),
                         [=](float p, float n) { return keep * p + add * n; });
}

}  // namespace

GeneralisedHmc::GeneralisedHmc(const Options& options) : options_(options) {
  if (options.leapfrog_steps < 1) {
    misuse("mcmc.generalised_hmc", "leapfrog_steps must be at least 1, got {}", options.leapfrog_steps);
  }
  if (!(options.persistence >= 0.0 && options.persistence < 1.0)) {
    misuse("mcmc.generalised_hmc", "persistence must be in [0, 1), got {}", options.persistence);
  }
}

Info GeneralisedHmc::step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) const {
  validate(parameters, state);
  refresh(options_.persistence, parameters.metric, fold_all(keys, "momentum"), state.momentum);
  const std::vector<int> steps(keys.size(), options_.leapfrog_steps);
  Info info = propose(keys, target, parameters.metric, parameters.step_size, steps, Acceptance::metropolis, state,
                      state.momentum);
  for (std::int64_t b = 0; b < state.chains(); ++b) {
    if (info.accepted[static_cast<std::size_t>(b)] == 0) {
      std::ranges::transform(state.momentum.row(b), state.momentum.row(b).begin(), std::negate<>{});
    }
  }
  return info;
}

KernelEntry generalised_hmc_entry() {
  return {.name = "generalised_hmc",
          .title = "Generalised HMC",
          .description = "HMC that keeps part of its momentum from one short trajectory to the next",
          .reads = {"leapfrog_steps", "persistence"},
          .make = [](const KernelOptions& options) -> AnyKernel {
            return GeneralisedHmc({.leapfrog_steps = options.leapfrog_steps, .persistence = options.persistence});
          },
          .target_acceptance = 0.95};  // a rejection turns the chain back
}

}  // namespace vaeguard::mcmc
