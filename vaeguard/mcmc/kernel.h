// What a Markov kernel is: the contract of every sampler here, and the parameters that tune a transition.
#pragma once

#include <concepts>
#include <span>
#include <string_view>
#include <vector>

#include "vaeguard/mcmc/metric.h"
#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {

/// The tuning parameters of a transition, one entry per chain.
struct Parameters {
  std::vector<double> step_size;
  Metric metric;
  /// Leapfrog steps for Hmc, set by learn_lengths; empty for the kernel's own number.
  std::vector<int> leapfrog_steps = {};
};

/// A Markov kernel over a batch of chains; make_state gives its initial state.
/// * `keys` holds one key per chain for this transition, and a chain's result depends, bit for bit, only on its own
/// key,
///   state, parameters and function.
/// * If `exact`, the kernel leaves the target invariant for any fixed parameters. Otherwise its draws are approximate
///   however long it runs.
/// * A failed trajectory is an Info entry, never an exception.
/// * gradients_per_step() is the most gradients that a transition spends on a chain; Info has the number it did spend.
template <typename K>
concept Kernel = requires(const K kernel, std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) {
  { kernel.exact } -> std::convertible_to<bool>;
  { kernel.step(keys, target, parameters, state) } -> std::same_as<Info>;
  { kernel.gradients_per_step() } -> std::convertible_to<int>;
};

/// Throws Misuse unless every step size is finite and > 0, every number of steps >= 1 and the shapes fit `state`.
void validate(const Parameters& parameters, const State& state);

/// Every key folded with the same purpose.
std::vector<Key> fold_all(std::span<const Key> keys, std::string_view purpose);

}  // namespace vaeguard::mcmc
