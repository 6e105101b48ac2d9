// Warm-up: adapts step sizes, metric and lengths from outside the kernel and returns a state with frozen parameters.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "vaeguard/mcmc/dynamic_hmc.h"
#include "vaeguard/mcmc/first_step.h"
#include "vaeguard/mcmc/kernel.h"
#include "vaeguard/mcmc/metric_estimate.h"
#include "vaeguard/mcmc/step_size.h"

namespace vaeguard::mcmc {

/// A warmed-up state with frozen parameters: the only thing that sample() accepts. The states of warm-up itself are not
/// draws from the target and are not returned.
struct Tuned {
  State state;
  Parameters parameters;
  /// Gradients that each chain has spent on warm-up; from Info::gradients where the kernel reports them.
  std::vector<std::int64_t> gradients = {};
};

struct WarmupOptions {
  int transitions = 20;
  DualAveraging::Options step_size;
  /// The most gradients that each chain may spend to find its first step, starting from step_size.initial_step_size; 0
  /// uses that.
  int first_step_trials = 0;
  /// Learns the metric from the second quarter of the transitions and uses it from halfway on.
  bool learn_metric = false;
  /// Number of consecutive chains per image. They share what warm-up learns of their target; groups share nothing.
  std::int64_t group = 1;
};

namespace internal {

// Dual averaging that begins at `step`.
DualAveraging rule(DualAveraging::Options options, double step);
// Changes the metric, rescales each step size so that the step along a coordinate keeps its geometric mean, and
// restarts dual averaging from there.
void change_metric(Metric metric, const DualAveraging::Options& options, std::vector<DualAveraging>& rules,
                   Parameters& parameters, State& state);
void add_gradients(const Info& info, std::vector<std::int64_t>& gradients);

}  // namespace internal

/// Adapts every chain's step size by dual averaging over options.transitions transitions, and the metric if asked to.
/// keys[b] is the chain's key; transition t uses keys[b].fold(t). `visit(t, state, info)` sees each transition, for
/// progress and counts. Throws Misuse unless options.group divides the chains.
template <Kernel K, typename Visit>
Tuned warm_up(const K& kernel, std::span<const Key> keys, const Target& target, Metric metric, State state,
              const WarmupOptions& options, Visit&& visit) {
  const FirstSteps first = find_first_steps(fold_all(keys, "first step"), target, metric, state,
                                            {options.step_size.initial_step_size, options.first_step_trials});
  std::vector<std::int64_t> gradients(first.gradients.begin(), first.gradients.end());
  std::vector<DualAveraging> rules;
  for (const double step : first.step_size) {
    rules.push_back(internal::rule(options.step_size, step));
  }
  MetricEstimate estimate(metric, options.group);
  Parameters parameters{first.step_size, std::move(metric)};
  for (int t = 0; t < options.transitions; ++t) {
    const Info info = kernel.step(step_keys(keys, static_cast<std::uint64_t>(t)), target, parameters, state);
    internal::add_gradients(info, gradients);
    for (std::size_t b = 0; b < rules.size(); ++b) {
      rules[b].update(info.acceptance[b]);
      parameters.step_size[b] = rules[b].exploring();
    }
    visit(t, std::as_const(state), info);
    if (options.learn_metric && t >= options.transitions / 4 && t < options.transitions / 2) {
      estimate.add(state);
      if (t + 1 == options.transitions / 2) {
        internal::change_metric(estimate.estimate(), options.step_size, rules, parameters, state);
      }
    }
  }
  for (std::size_t b = 0; b < rules.size(); ++b) {
    parameters.step_size[b] = rules[b].final();
  }
  return {std::move(state), std::move(parameters), std::move(gradients)};
}

struct LengthOptions {
  int transitions = 1;
  /// Of the time to a U-turn. For a normal that time is half a period, and the best trajectory is a quarter period.
  double fraction = 0.5;
  int max_steps = 32;
  std::int64_t group = 1;  // as in WarmupOptions
};

/// Leapfrog steps per chain: options.fraction times its group's mean of turns[t][b] * step_size[b], divided by the
/// chain's own step size, between 1 and options.max_steps.
std::vector<int> lengths(std::span<const std::vector<int>> turns, std::span<const double> step_size,
                         const LengthOptions& options);

/// Sets parameters.leapfrog_steps for Hmc to a fraction of the mean time to a U-turn of a group's chains, measured over
/// a few transitions of DynamicHmc with the frozen step sizes (as eHMC does, Wu, Stoehr and Robert 2018). Every
/// trajectory measures that time, so one chain and one transition suffice; ChEES (Hoffman, Radul and Sountsov 2021)
/// instead follows noisy gradients over tens of transitions of many chains. Transition t uses
/// keys[b].fold("lengths").fold(t).
template <typename Visit>
Tuned learn_lengths(std::span<const Key> keys, const Target& target, Tuned tuned, const LengthOptions& options,
                    Visit&& visit) {
  const DynamicHmc probe({.max_steps = options.max_steps});
  const auto own = fold_all(keys, "lengths");
  tuned.gradients.resize(keys.size());
  std::vector<std::vector<int>> turns;
  for (int t = 0; t < options.transitions; ++t) {
    const Info info = probe.step(step_keys(own, static_cast<std::uint64_t>(t)), target, tuned.parameters, tuned.state);
    internal::add_gradients(info, tuned.gradients);
    turns.push_back(info.turn);
    visit(t, std::as_const(tuned.state), info);
  }
  tuned.parameters.leapfrog_steps = lengths(turns, tuned.parameters.step_size, options);
  return tuned;
}

/// At most `transitions` draws with frozen parameters; transition t uses keys[b].fold(t). ended(t, state, info) is
/// called with each draw and returns whether it was the last.
template <Kernel K, typename Ended>
State sample_until(const K& kernel, std::span<const Key> keys, const Target& target, Tuned tuned, int transitions,
                   Ended&& ended) {
  for (int t = 0; t < transitions; ++t) {
    const Info info =
        kernel.step(step_keys(keys, static_cast<std::uint64_t>(t)), target, tuned.parameters, tuned.state);
    if (ended(t, std::as_const(tuned.state), info)) {
      break;
    }
  }
  return std::move(tuned.state);
}

/// `transitions` draws; visit(t, state, info) is called with each.
template <Kernel K, typename Visit>
State sample(const K& kernel, std::span<const Key> keys, const Target& target, Tuned tuned, int transitions,
             Visit&& visit) {
  return sample_until(kernel, keys, target, std::move(tuned), transitions,
                      [&](int t, const State& state, const Info& info) {
                        visit(t, state, info);
                        return false;
                      });
}

/// The authors' loop: the step size follows published_step_size at every transition, draws included, so its states are
/// not draws from the target. Kept only for reproduction and comparison.
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
