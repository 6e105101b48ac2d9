// The MALA transition: one leapfrog step from fresh noise, and its Metropolis decision.
#include "vaeguard/mcmc/mala.h"

#include "vaeguard/mcmc/accept.h"
#include "vaeguard/mcmc/integrator.h"

namespace vaeguard::mcmc {

Info Mala::step(std::span<const Key> keys, const Target& target, const Parameters& parameters, State& state) const {
  validate(parameters, state);
  Matrix noise;  // M^1/2 xi
  draw_momentum(parameters.metric, fold_all(keys, "momentum"), noise);
  const auto forward = kinetic_energy(parameters.metric, noise);  // -log q(z'|z) + constant
  State proposal = state;
  leapfrog(target, parameters.metric, parameters.step_size, 1, proposal, noise);
  const auto backward = kinetic_energy(parameters.metric, noise);  // -log q(z|z') + constant
  Info info;
  for (std::int64_t b = 0; b < state.chains(); ++b) {
    const auto i = static_cast<std::size_t>(b);
    const double start = state.energy[i] + forward[i];
    const double error = proposal.energy[i] + backward[i] - start;
    const Decision decision = metropolis(error, keys[i].fold("accept"));
    if (decision.accepted) {
      copy_chain(proposal, b, state);
    }
    record(decision, start, error, 1, info);
  }
  return info;
}

}  // namespace vaeguard::mcmc
