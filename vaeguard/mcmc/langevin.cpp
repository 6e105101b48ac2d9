// The unadjusted Langevin transition: MALA's proposal, taken as it comes.
#include "vaeguard/mcmc/langevin.h"

#include "vaeguard/mcmc/proposal.h"
#include "vaeguard/mcmc/registry.h"

namespace vaeguard::mcmc {

Info Langevin::step(std::span<const Key> keys, const Target& target, const Parameters& parameters, State& state) const {
  validate(parameters, state);
  Matrix noise;  // M^1/2 xi, whose kinetic energy is -log q(z'|z) + constant
  draw_momentum(parameters.metric, fold_all(keys, "momentum"), noise);
  const std::vector<int> one(keys.size(), 1);
  return propose(keys, target, parameters.metric, parameters.step_size, one, Acceptance::always, state, noise);
}

KernelEntry langevin_entry() {
  return {.name = "langevin",
          .title = "Unadjusted Langevin",
          .description = "MALA without its accept step: biased",
          .reads = {},
          .make = [](const KernelOptions&) -> AnyKernel { return Langevin(); },
          .target_acceptance = 0.9};  // of the omitted accept step: the smaller the step size, the smaller the bias
}

}  // namespace vaeguard::mcmc
