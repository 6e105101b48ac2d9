// Hamiltonian Monte Carlo: one transition of every chain, each with its own step size and its own accept.
#pragma once

#include <span>

#include "vaeguard/mcmc/kernel.h"

namespace vaeguard::mcmc {

/// HMC with a fixed number of leapfrog steps, the same for all chains or, where Parameters has them, each chain's own
/// (Duane et al. 1987; Kuzina et al. 2022, Algorithm 1).
class Hmc {
 public:
  static constexpr bool exact = true;
  struct Options {
    int leapfrog_steps = 20;
    /// Each transition's step size is multiplied by a uniform number of 1 - jitter .. 1 + jitter, so that no
    /// trajectory length resonates with a period of the target.
    double jitter = 0.0;
  };

  /// Throws Misuse for leapfrog_steps < 1 or jitter outside 0 .. 1.
  explicit Hmc(const Options& options);
  [[nodiscard]] Info step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) const;
  /// Where Parameters has no lengths.
  [[nodiscard]] int gradients_per_step() const { return options_.leapfrog_steps; }

 private:
  Options options_;
};

static_assert(Kernel<Hmc>);

struct KernelEntry;
KernelEntry hmc_entry();

}  // namespace vaeguard::mcmc
