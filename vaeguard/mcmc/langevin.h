// The unadjusted Langevin algorithm: one gradient per transition, no accept step, biased by its step size.
#pragma once

#include <span>

#include "vaeguard/mcmc/kernel.h"

namespace vaeguard::mcmc {

/// ULA (Parisi 1981; Roberts and Tweedie 1996): z' = z - e^2/2 M^-1 grad U(z) + e M^-1/2 xi, always accepted. Its draws
/// are not draws from the target: for a normal of variance s^2 with M = 1 they have variance s^2 / (1 - e^2 / (4 s^2)),
/// and from e = 2 s on the chain has no stationary distribution. Info::acceptance is the probability with which MALA
/// would have accepted, Info::accepted whether the chain moved. A chain stays only where the new energy is not finite,
/// which is a divergence.
class Langevin {
 public:
  static constexpr bool exact = false;

  [[nodiscard]] Info step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) const;
  [[nodiscard]] int gradients_per_step() const { return 1; }
};

static_assert(Kernel<Langevin>);

struct KernelEntry;
KernelEntry langevin_entry();

}  // namespace vaeguard::mcmc
