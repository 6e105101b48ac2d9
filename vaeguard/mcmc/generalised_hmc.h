// Generalised Hamiltonian Monte Carlo: momentum that persists from one short trajectory to the next.
#pragma once

#include <span>

#include "vaeguard/mcmc/kernel.h"

namespace vaeguard::mcmc {

/// Horowitz 1991; Neal 2011, section 5.5.3. The momentum is part of the state, State::momentum, and a transition is
///   p <- a p + sqrt(1 - a^2) n, n ~ N(0, M), which leaves N(0, M) invariant;
///   a leapfrog trajectory, accepted by Metropolis; where it is rejected, p <- -p.
/// The flip keeps the target invariant: without it the accept step would not be reversible. But it also turns the chain
/// back on its path, so rejections should be rare. A state without momentum gets a fresh draw.
class GeneralisedHmc {
 public:
  static constexpr bool exact = true;
  struct Options {
    int leapfrog_steps = 1;
    /// a, in [0, 1): how much momentum a transition keeps. 0 is Hmc. Directions are forgotten after about
    /// 1 / (1 - a) transitions.
    double persistence = 0.9;
  };

  /// Throws Misuse for leapfrog_steps < 1 or persistence outside [0, 1).
  explicit GeneralisedHmc(const Options& options);
  [[nodiscard]] Info step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) const;
  [[nodiscard]] int gradients_per_step() const { return options_.leapfrog_steps; }

 private:
  Options options_;
};

static_assert(Kernel<GeneralisedHmc>);

struct KernelEntry;
KernelEntry generalised_hmc_entry();

}  // namespace vaeguard::mcmc
