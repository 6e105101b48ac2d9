// Hamiltonian Monte Carlo: one transition of every chain, each with its own step size and its own accept.
#pragma once

#include <concepts>
#include <span>
#include <vector>

#include "vaeguard/mcmc/metric.h"
#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {

/// What a transition is tuned by, one entry per chain.
struct Parameters {
  std::vector<double> step_size;
  Metric metric;
};

/// A Markov kernel over a batch of chains. `keys` holds one key per chain for this transition; the target must be left
/// invariant for any fixed parameters; a failed trajectory is an Info entry, never an exception.
template <typename K>
concept Kernel = requires(const K kernel, std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) {
  { kernel.step(keys, target, parameters, state) } -> std::same_as<Info>;
  { kernel.gradients_per_step() } -> std::convertible_to<int>;
};

/// HMC with a fixed number of leapfrog steps (Duane et al. 1987; Kuzina et al. 2022, Algorithm 1).
class Hmc {
 public:
  struct Options {
    int leapfrog_steps = 20;
    /// Each transition's step size is multiplied by a uniform number of 1 - jitter .. 1 + jitter, lest a trajectory
    /// length resonate with the target's periods.
    double jitter = 0.0;
  };

  /// Throws Misuse for leapfrog_steps < 1 or jitter outside 0 .. 1.
  explicit Hmc(const Options& options);
  [[nodiscard]] Info step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) const;
  [[nodiscard]] int gradients_per_step() const { return options_.leapfrog_steps; }

 private:
  Options options_;
};

static_assert(Kernel<Hmc>);

/// Throws Misuse unless every step size is finite and > 0 and the shapes fit `state`.
void validate(const Parameters& parameters, const State& state);

}  // namespace vaeguard::mcmc
