// Leapfrog: a reversible, volume-preserving approximation of Hamilton's equations.
#pragma once

#include <span>

#include "vaeguard/mcmc/metric.h"
#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {

/// A field that integrates whole trajectories itself, for a GPU, where a transfer per step would cost more than the
/// step.
class TrajectoryField : public ScalarField {
 public:
  /// mcmc::leapfrog over these functions, one per chain, exactly as described below, within float rounding.
  virtual void leapfrog(std::span<const std::int64_t> functions, const Metric& metric,
                        std::span<const double> step_size, int steps, State& state, Matrix& momentum) const = 0;
  /// How many chains to advance together from one thread: as many as a device holds. 0 if any number of chains and
  /// threads will do.
  [[nodiscard]] virtual std::int64_t preferred_chains() const { return 0; }
};

/// `steps` leapfrog steps of size step_size[b] for each chain, in place: a half kick, alternating drifts and full
/// kicks, a half kick. The state's gradient must belong to its position; afterwards energy and gradient belong to the
/// new one. Energies and gradients that are not finite become +infinity and 0, as in evaluate() and
/// evaluate_gradient(). Costs `steps` gradients and one energy. A TrajectoryField does all of this itself. (The paper's
/// Algorithm 1 reads z^(l) before it is set; the order here is the usual one.)
void leapfrog(const Target& target, const Metric& metric, std::span<const double> step_size, int steps, State& state,
              Matrix& momentum);

/// The same with steps[b] >= 1 steps for chain b, with the same bits as alone: chains of equal length run together.
void leapfrog(const Target& target, const Metric& metric, std::span<const double> step_size, std::span<const int> steps,
              State& state, Matrix& momentum);

}  // namespace vaeguard::mcmc
