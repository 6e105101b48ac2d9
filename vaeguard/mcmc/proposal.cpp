// Trajectory, energy error, decision.
#include "vaeguard/mcmc/proposal.h"

#include <algorithm>
#include <cmath>

#include "vaeguard/mcmc/accept.h"
#include "vaeguard/mcmc/integrator.h"

namespace vaeguard::mcmc {

Info propose(std::span<const Key> keys, const Target& target, const Metric& metric, std::span<const double> step_size,
             std::span<const int> steps, Acceptance acceptance, State& state, Matrix& momentum) {
  const auto kinetic_before = kinetic_energy(metric, momentum);
  State end{state.position, state.energy, state.gradient};
  Matrix end_momentum = momentum;
  leapfrog(target, metric, step_size, steps, end, end_momentum);
  const auto kinetic_after = kinetic_energy(metric, end_momentum);
  Info info;
  for (std::int64_t b = 0; b < state.chains(); ++b) {
    const auto i = static_cast<std::size_t>(b);
    const double start = state.energy[i] + kinetic_before[i];
    const double error = end.energy[i] + kinetic_after[i] - start;
    Decision decision = metropolis(error, keys[i].fold("accept"));
    if (acceptance == Acceptance::always) {
      decision.accepted = std::isfinite(end.energy[i]);
    }
    record(decision, start, error, steps[i], info);
    if (decision.divergent) {
      info.divergences.push_back(
          divergence(b, step_size[i], error, state.position.row(b), momentum.row(b), end.position.row(b)));
    }
    if (decision.accepted) {
      copy_chain(end, b, state);
      std::ranges::copy(end_momentum.row(b), momentum.row(b).begin());
    }
  }
  return info;
}

}  // namespace vaeguard::mcmc
