// A first step size for each chain, found by doubling and halving.
#pragma once

#include <span>
#include <vector>

#include "vaeguard/mcmc/metric.h"
#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {

struct FirstStepOptions {
  double guess = 0.3;
  /// The most gradients that a chain may spend; 0 keeps the guess.
  int trials = 5;
};

struct FirstSteps {
  std::vector<double> step_size;  // [n]
  std::vector<int> gradients;     // [n], spent
};

/// The largest of guess * 2^k whose single leapfrog step is accepted with probability 1/2 or more, as far as `trials`
/// reach (after Hoffman and Gelman 2014, Algorithm 4, which is unbounded and returns the next step). keys[b] draws
/// chain b's momentum, the same for all its trials. Chains that have found their step leave the batch.
FirstSteps find_first_steps(std::span<const Key> keys, const Target& target, const Metric& metric, const State& state,
                            const FirstStepOptions& options);

}  // namespace vaeguard::mcmc
