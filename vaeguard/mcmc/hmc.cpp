// The HMC transition: a fresh momentum, then a leapfrog proposal.
#include "vaeguard/mcmc/hmc.h"

#include "vaeguard/base/error.h"
#include "vaeguard/mcmc/proposal.h"
#include "vaeguard/mcmc/registry.h"

namespace vaeguard::mcmc {
namespace {

std::vector<double> jittered(std::span<const double> step_size, std::span<const Key> keys, double jitter) {
  std::vector<double> result(step_size.begin(), step_size.end());
  for (std::size_t b = 0; jitter > 0.0 && b < result.size(); ++b) {
    result[b] *= 1.0 + jitter * (2.0 * Stream(keys[b].fold("jitter")).uniform() - 1.0);
  }
  return result;
}

}  // namespace

Hmc::Hmc(const Options& options) : options_(options) {
  if (options.leapfrog_steps < 1) {
    misuse("mcmc.hmc", "leapfrog_steps must be at least 1, got {}", options.leapfrog_steps);
  }
  if (!(options.jitter >= 0.0 && options.jitter < 1.0)) {
    misuse("mcmc.hmc", "jitter must be in [0, 1), got {}", options.jitter);
  }
}

Info Hmc::step(std::span<const Key> keys, const Target& target, const Parameters& parameters, State& state) const {
  validate(parameters, state);
  Matrix momentum;
  draw_momentum(parameters.metric, fold_all(keys, "momentum"), momentum);
  const std::vector<int> steps = parameters.leapfrog_steps.empty()
                                     ? std::vector<int>(keys.size(), options_.leapfrog_steps)
                                     : parameters.leapfrog_steps;
  return propose(keys, target, parameters.metric, jittered(parameters.step_size, keys, options_.jitter), steps,
                 Acceptance::metropolis, state, momentum);
}

KernelEntry hmc_entry() {
  return {.name = "hmc",
          .title = "HMC",
          .description = "Hamiltonian Monte Carlo: trajectories of a fixed number of leapfrog steps",
          .reads = {"leapfrog_steps", "jitter"},
          .make = [](const KernelOptions& options) -> AnyKernel {
            return Hmc({.leapfrog_steps = options.leapfrog_steps, .jitter = options.jitter});
          },
          .target_acceptance = 0.8,
          .takes_lengths = true};
}

}  // namespace vaeguard::mcmc
