// Hamiltonian Monte Carlo: one transition of every chain, each with its own step size and accept decision.
#pragma once

#include <span>

#include "vaeguard/mcmc/kernel.h"

namespace vaeguard::mcmc {

/// HMC with a fixed number of leapfrog steps, the same for all chains or, if Parameters sets them, one per chain (Duane
/// et al. 1987; Kuzina et al. 2022, Algorithm 1).
class Hmc {
 public:
  static constexpr bool exact = true;
  struct Options {
    int leapfrog_steps = 20;
    /// Each transition's step size is multiplied by a uniform draw from 1 - jitter .. 1 + jitter, so that no
    /// trajectory length resonates with a period of the target.
    double jitter = 0.0;
  };

  /// Throws Misuse for leapfrog_steps < 1 or jitter outside 0 .. 1.
  explicit Hmc(const Options& options);
  [[nodiscard]] Info step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) const;
  /// For Parameters without leapfrog_steps.
  [[nodiscard]] int gradients_per_step() const { return options_.leapfrog_steps; }

 private:
  Options options_;
};

static_assert(Kernel<Hmc>);

struct KernelEntry;
KernelEntry hmc_entry();

}  // namespace vaeguard::mcmc
