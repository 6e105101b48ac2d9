// The unadjusted Langevin transition: MALA's proposal, taken as it comes.
#include "vaeguard/mcmc/langevin.h"

#include <cmath>

#include "vaeguard/mcmc/accept.h"
#include "vaeguard/mcmc/integrator.h"

namespace vaeguard::mcmc {

Info Langevin::step(std::span<const Key> keys, const Target& target, const Parameters& parameters, State& state) const {
  validate(parameters, state);
  Matrix noise;  // M^1/2 xi
  draw_momentum(parameters.metric, fold_all(keys, "momentum"), noise);
  const auto forward = kinetic_energy(parameters.metric, noise);
  State next = state;
  leapfrog(target, parameters.metric, parameters.step_size, 1, next, noise);
  const auto backward = kinetic_energy(parameters.metric, noise);
  Info info;
  for (std::int64_t b = 0; b < state.chains(); ++b) {
    const auto i = static_cast<std::size_t>(b);
    const double start = state.energy[i] + forward[i];
    const double error = next.energy[i] + backward[i] - start;
    Decision decision = metropolis(error, keys[i].fold("accept"));
    decision.accepted = std::isfinite(next.energy[i]);
    if (decision.accepted) {
      copy_chain(next, b, state);
    }
    record(decision, start, error, 1, info);
  }
  return info;
}

}  // namespace vaeguard::mcmc
