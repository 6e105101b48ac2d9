// Warm-up: adapts step sizes from outside the kernel and returns a state with frozen parameters.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "vaeguard/mcmc/kernel.h"
#include "vaeguard/mcmc/step_size.h"

namespace vaeguard::mcmc {

/// A state that has arrived and parameters that no longer move: the only thing that sample() takes. Warm-up's own
/// states are not draws of the target and do not leave it.
struct Tuned {
  State state;
  Parameters parameters;
};

struct WarmupOptions {
  int transitions = 20;
  DualAveraging::Options step_size;
};

/// Adapts every chain's step size by dual averaging over options.transitions transitions. keys[b] is the chain's key;
/// transition t uses keys[b].fold(t). `visit(t, state, info)` sees each transition, for progress and counts.
template <Kernel K, typename Visit>
Tuned warm_up(const K& kernel, std::span<const Key> keys, const Target& target, Metric metric, State state,
              const WarmupOptions& options, Visit&& visit) {
  std::vector<DualAveraging> rules(static_cast<std::size_t>(state.chains()), DualAveraging(options.step_size));
  Parameters parameters{std::vector<double>(rules.size(), options.step_size.initial_step_size), std::move(metric)};
  for (int t = 0; t < options.transitions; ++t) {
    const Info info = kernel.step(step_keys(keys, static_cast<std::uint64_t>(t)), target, parameters, state);
    for (std::size_t b = 0; b < rules.size(); ++b) {
      rules[b].update(info.acceptance[b]);
      parameters.step_size[b] = rules[b].exploring();
    }
    visit(t, std::as_const(state), info);
  }
  for (std::size_t b = 0; b < rules.size(); ++b) {
    parameters.step_size[b] = rules[b].final();
  }
  return {std::move(state), std::move(parameters)};
}

/// `transitions` draws with frozen parameters; transition t uses keys[b].fold(t). visit(t, state, info) sees each draw.
template <Kernel K, typename Visit>
State sample(const K& kernel, std::span<const Key> keys, const Target& target, Tuned tuned, int transitions,
             Visit&& visit) {
  for (int t = 0; t < transitions; ++t) {
    const Info info =
        kernel.step(step_keys(keys, static_cast<std::uint64_t>(t)), target, tuned.parameters, tuned.state);
    visit(t, std::as_const(tuned.state), info);
  }
  return std::move(tuned.state);
}

/// The authors' loop: the step size follows published_step_size at every transition, draws included, so that its states
/// are not draws of the target. Kept for reproduction and comparison alone.
template <Kernel K, typename Visit>
State sample_published(const K& kernel, std::span<const Key> keys, const Target& target, Parameters parameters,
                       State state, int transitions, double target_acceptance, Visit&& visit) {
  for (int t = 0; t < transitions; ++t) {
    const Info info = kernel.step(step_keys(keys, static_cast<std::uint64_t>(t)), target, parameters, state);
    for (std::size_t b = 0; b < parameters.step_size.size(); ++b) {
      parameters.step_size[b] =
          published_step_size(parameters.step_size[b], info.accepted[b] != 0 ? 1.0 : 0.0, target_acceptance);
    }
    visit(t, std::as_const(state), info, std::as_const(parameters));
  }
  return state;
}

}  // namespace vaeguard::mcmc
