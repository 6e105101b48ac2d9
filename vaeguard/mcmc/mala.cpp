// The MALA transition: a single leapfrog step from fresh noise.
#include "vaeguard/mcmc/mala.h"

#include "vaeguard/mcmc/proposal.h"
#include "vaeguard/mcmc/registry.h"

namespace vaeguard::mcmc {

Info Mala::step(std::span<const Key> keys, const Target& target, const Parameters& parameters, State& state) const {
  validate(parameters, state);
  Matrix noise;  // M^1/2 xi, whose kinetic energy is -log q(z'|z) + constant
  draw_momentum(parameters.metric, fold_all(keys, "momentum"), noise);
  const std::vector<int> one(keys.size(), 1);
  return propose(keys, target, parameters.metric, parameters.step_size, one, Acceptance::metropolis, state, noise);
}

KernelEntry mala_entry() {
  return {.name = "mala",
          .title = "MALA",
          .description = "Metropolis-adjusted Langevin: one gradient per transition",
          .reads = {},
          .make = [](const KernelOptions&) -> AnyKernel { return Mala(); },
          .target_acceptance = Mala::target_acceptance};
}

}  // namespace vaeguard::mcmc
