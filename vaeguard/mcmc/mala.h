// The Metropolis-adjusted Langevin algorithm: one gradient per transition.
#pragma once

#include <span>

#include "vaeguard/mcmc/kernel.h"

namespace vaeguard::mcmc {

/// MALA (Besag 1994; Roberts and Tweedie 1996). With step e and standard normals xi it proposes
///   z' = z - e^2/2 M^-1 grad U(z) + e M^-1/2 xi,
/// a draw of q(.|z) = N(z - e^2/2 M^-1 grad U(z), e^2 M^-1), and accepts with probability
///   min(1, exp(U(z) - U(z')) q(z|z') / q(z'|z)).
/// That is one leapfrog step from momentum p = M^1/2 xi: log q(z'|z) = -K(p) + constant, and the reverse step starts
/// from -p', so that log q(z|z') = -K(p') + constant with the same constant, and the ratio is exp(H(z, p) - H(z', p')).
/// The last half kick computes p' from the gradient at z', which the state keeps, so nothing is evaluated twice.
class Mala {
 public:
  static constexpr bool exact = true;
  /// The optimal mean acceptance in high dimensions (Roberts and Rosenthal 1998).
  static constexpr double target_acceptance = 0.574;

  [[nodiscard]] Info step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) const;
  [[nodiscard]] int gradients_per_step() const { return 1; }
};

static_assert(Kernel<Mala>);

struct KernelEntry;
KernelEntry mala_entry();

}  // namespace vaeguard::mcmc
