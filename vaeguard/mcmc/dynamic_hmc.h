// Hamiltonian Monte Carlo with self-tuned trajectory lengths: steps until a U-turn, made exact by GIST.
#pragma once

#include <span>

#include "vaeguard/mcmc/kernel.h"

namespace vaeguard::mcmc {

/// GIST's self-tuned path length (Bou-Rabee, Carpenter and Marsden 2024, section 4). M(z, p) is the first leapfrog step
/// m with (z_m - z) . p_m < 0, where the trajectory turns back; it also ends at a divergence and after max_steps. L is
/// drawn uniformly from a(M) .. M, a(m) = max(1, ceil(shortest m)), and z_L is accepted with probability
///   min(1, exp(H(z, p) - H(z_L, p_L)) n(M) / n(M')) 1[a(M') <= L <= M'],  M' = M(z_L, -p_L), n(m) = m - a(m) + 1:
/// p and L together are a Gibbs draw given z, and the step followed by a momentum flip is its own inverse. The backward
/// trajectory from z_L first retraces known states; beyond z it costs gradients, and stops as soon as the decision is
/// certain. Chains that are done leave the batch. Info::acceptance is min(1, exp(-energy error)), from which step sizes
/// are tuned, as for every kernel; Info::accepted reflects the other factors too. A divergence anywhere on the forward
/// trajectory counts.
class DynamicHmc {
 public:
  static constexpr bool exact = true;
  struct Options {
    int max_steps = 32;
    /// The shortest length as a fraction of M, in [0, 1]. Longer trajectories travel further, but L then lies within
    /// a(M') .. M' less often.
    double shortest = 0.0;
  };

  /// Throws Misuse for max_steps < 1 or shortest outside [0, 1].
  explicit DynamicHmc(const Options& options);
  [[nodiscard]] Info step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) const;
  /// M forward and M' - L backward; more than half of the bound is rare.
  [[nodiscard]] int gradients_per_step() const { return 2 * options_.max_steps - 1; }

 private:
  Options options_;
};

static_assert(Kernel<DynamicHmc>);

struct KernelEntry;
KernelEntry dynamic_entry();

}  // namespace vaeguard::mcmc
