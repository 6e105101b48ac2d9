// Hamiltonian Monte Carlo whose trajectories find their own lengths: steps until a U-turn, made exact by GIST.
#pragma once

#include <span>

#include "vaeguard/mcmc/kernel.h"

namespace vaeguard::mcmc {

/// GIST's self-tuned path length (Bou-Rabee, Carpenter and Marsden 2024, section 4). M(z, p) is the first leapfrog step
/// m with (z_m - z) . p_m < 0, where the trajectory begins to come back; a divergence and max_steps end it, too. L is
/// drawn uniformly from a(M) .. M, a(m) = max(1, ceil(shortest m)), and z_L accepted with probability
///   min(1, exp(H(z, p) - H(z_L, p_L)) n(M) / n(M')) 1[a(M') <= L <= M'],  M' = M(z_L, -p_L), n(m) = m - a(m) + 1:
/// L and p together are a Gibbs draw given z, and the step with its momentum turned round is its own inverse. The way
/// back from z_L runs over known states first; beyond z it costs gradients, which end as soon as the decision is sure.
/// Chains that are done leave the batch. Info::acceptance is min(1, exp(-energy error)), by which step
/// sizes are tuned, as for every kernel; Info::accepted also counts the other factors. A divergence anywhere on the
/// way there counts.
class DynamicHmc {
 public:
  static constexpr bool exact = true;
  struct Options {
    int max_steps = 32;
    /// The shortest length as a fraction of M, in [0, 1]. Long ones travel further, but M' fits them less often.
    double shortest = 0.0;
  };

  /// Throws Misuse for max_steps < 1 or shortest outside [0, 1].
  explicit DynamicHmc(const Options& options);
  [[nodiscard]] Info step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) const;
  /// M there and M' - L back; more than half of it is rare.
  [[nodiscard]] int gradients_per_step() const { return 2 * options_.max_steps - 1; }

 private:
  Options options_;
};

static_assert(Kernel<DynamicHmc>);

struct KernelEntry;
KernelEntry dynamic_entry();

}  // namespace vaeguard::mcmc
