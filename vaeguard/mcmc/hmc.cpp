// The HMC transition: momentum, leapfrog, Metropolis.
#include "vaeguard/mcmc/hmc.h"

#include "vaeguard/base/error.h"
#include "vaeguard/mcmc/accept.h"
#include "vaeguard/mcmc/integrator.h"

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
  const auto kinetic_before = kinetic_energy(parameters.metric, momentum);
  State proposal = state;
  const std::vector<int> steps = parameters.leapfrog_steps.empty()
                                     ? std::vector<int>(keys.size(), options_.leapfrog_steps)
                                     : parameters.leapfrog_steps;
  leapfrog(target, parameters.metric, jittered(parameters.step_size, keys, options_.jitter), steps, proposal, momentum);
  const auto kinetic_after = kinetic_energy(parameters.metric, momentum);
  Info info;
  for (std::int64_t b = 0; b < state.chains(); ++b) {
    const auto i = static_cast<std::size_t>(b);
    const double start = state.energy[i] + kinetic_before[i];
    const double error = (proposal.energy[i] + kinetic_after[i]) - start;
    const Decision decision = metropolis(error, keys[i].fold("accept"));
    if (decision.accepted) {
      copy_chain(proposal, b, state);
    }
    record(decision, start, error, steps[i], info);
  }
  return info;
}

}  // namespace vaeguard::mcmc
