// A first step size for each chain, found by doubling and halving.
#pragma once

#include <span>
#include <vector>

#include "vaeguard/mcmc/metric.h"
#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {

struct FirstStepOptions {
  double guess = 0.3;
  /// Gradients that a chain may spend at most; 0 keeps the guess.
  int trials = 5;
};

struct FirstSteps {
  std::vector<double> step_size;  // [n]
  std::vector<int> gradients;     // [n], spent
};

/// The largest of guess * 2^k whose single leapfrog step is accepted with probability 1/2 or more, as far as `trials`
/// go (Hoffman and Gelman 2014, Algorithm 4, which does not end by itself and gives the step beyond). keys[b] draws
/// chain b's momentum, the same for all its trials. Chains that have found theirs leave the batch.
FirstSteps find_first_steps(std::span<const Key> keys, const Target& target, const Metric& metric, const State& state,
                            const FirstStepOptions& options);

}  // namespace vaeguard::mcmc
