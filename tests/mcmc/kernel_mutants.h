// HMC that adapts as it draws, and plain renderings of generalised and dynamic HMC, with one fault each, to show that
// the tests would find it.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <vector>

#include "vaeguard/mcmc/accept.h"
#include "vaeguard/mcmc/integrator.h"
#include "vaeguard/mcmc/kernel.h"

namespace vaeguard::mcmc {

enum class GeneralisedFault {
  none,
  no_flip,           // after a rejection the momentum goes on as it was
  noise_not_scaled,  // p <- a p + (1 - a) n: a momentum that grows too cold
};

class GeneralisedMutant {
 public:
  static constexpr bool exact = true;  // claimed, and to be refuted
  GeneralisedMutant(GeneralisedFault fault, int steps, double persistence)
      : fault_(fault), steps_(steps), persistence_(persistence) {}
  [[nodiscard]] int gradients_per_step() const { return steps_; }

  [[nodiscard]] Info step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) const {
    Matrix noise;
    draw_momentum(parameters.metric, fold_all(keys, "momentum"), noise);
    if (state.momentum.empty()) {
      draw_momentum(parameters.metric, fold_all(keys, "first momentum"), state.momentum);
    }
    const double add = fault_ == GeneralisedFault::noise_not_scaled ? 1.0 - persistence_
                                                                    : std::sqrt(1.0 - persistence_ * persistence_);
    for (std::int64_t b = 0; b < noise.rows(); ++b) {
      for (std::int64_t d = 0; d < noise.columns(); ++d) {
        state.momentum(b, d) =
            static_cast<float>(persistence_ * state.momentum(b, d) + add * static_cast<double>(noise(b, d)));
      }
    }
    State proposal = state;
    leapfrog(target, parameters.metric, parameters.step_size, steps_, proposal, proposal.momentum);
    const auto before = kinetic_energy(parameters.metric, state.momentum);
    const auto after = kinetic_energy(parameters.metric, proposal.momentum);
    Info info;
    for (std::int64_t b = 0; b < state.chains(); ++b) {
      const auto i = static_cast<std::size_t>(b);
      const double error = proposal.energy[i] + after[i] - state.energy[i] - before[i];
      const Decision decision = metropolis(error, keys[i].fold("accept"));
      if (decision.accepted) {
        copy_chain(proposal, b, state);
        std::ranges::copy(proposal.momentum.row(b), state.momentum.row(b).begin());
      } else if (fault_ != GeneralisedFault::no_flip) {
        std::ranges::transform(state.momentum.row(b), state.momentum.row(b).begin(), std::negate<>{});
      }
      record(decision, state.energy[i] + before[i], error, steps_, info);
    }
    return info;
  }

 private:
  GeneralisedFault fault_;
  int steps_;
  double persistence_;
};

static_assert(Kernel<GeneralisedMutant>);

/// A kernel that goes on adapting: after a rejection the next step is a twentieth.
template <Kernel K>
class AdaptingMutant {
 public:
  static constexpr bool exact = true;  // claimed, and to be refuted
  explicit AdaptingMutant(const K& kernel) : kernel_(kernel) {}
  [[nodiscard]] int gradients_per_step() const { return kernel_.gradients_per_step(); }

  [[nodiscard]] Info step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) const {
    factors_.resize(keys.size(), 1.0);
    Parameters adapted = parameters;
    std::ranges::transform(parameters.step_size, factors_, adapted.step_size.begin(), std::multiplies<>{});
    Info info = kernel_.step(keys, target, adapted, state);
    for (std::size_t b = 0; b < factors_.size(); ++b) {
      factors_[b] = info.accepted[b] != 0 ? 1.0 : 0.05;
    }
    return info;
  }

 private:
  K kernel_;
  mutable std::vector<double> factors_;
};

enum class DynamicFault {
  none,
  no_ratio,      // the numbers of lengths to draw from, there and back, are left out
  no_indicator,  // a length that the way back could not have drawn is taken all the same
  last_state,    // always L = M: the U-turn itself, of which the way back knows nothing
};

/// One chain at a time; the way back is walked to its end, from z_L, by its own leapfrog steps.
class DynamicMutant {
 public:
  static constexpr bool exact = true;  // claimed, and to be refuted
  DynamicMutant(DynamicFault fault, int max_steps, double shortest)
      : fault_(fault), max_steps_(max_steps), shortest_(shortest) {}
  [[nodiscard]] int gradients_per_step() const { return 2 * max_steps_; }

  [[nodiscard]] Info step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) const {
    Info info;
    for (std::int64_t b = 0; b < state.chains(); ++b) {
      const auto i = static_cast<std::size_t>(b);
      const One one{{target.field, {target.functions[i]}},
                    {parameters.metric.inverse_mass.slice(b, 1)},
                    {parameters.step_size[i]}};
      const Point start{{state.position.slice(b, 1), {state.energy[i]}, state.gradient.slice(b, 1)},
                        momentum(one, keys[i])};
      const int turn = turn_of(one, start);
      const int first = fault_ == DynamicFault::last_state ? turn : first_length(turn);
      const int length =
          first + static_cast<int>(Stream(keys[i].fold("length")).below(static_cast<std::uint64_t>(turn - first + 1)));
      Point end = start;
      for (int l = 0; l < length; ++l) {
        advance_one(one, end);
      }
      const double error = energy(one, end) - energy(one, start);
      for (float& p : end.momentum.flat()) {
        p = -p;
      }
      const int back = turn_of(one, end);
      double ratio = static_cast<double>(turn - first_length(turn) + 1) / (back - first_length(back) + 1);
      ratio = fault_ == DynamicFault::no_ratio || fault_ == DynamicFault::last_state ? 1.0 : ratio;
      const bool drawable = first_length(back) <= length && length <= back;
      Decision decision = metropolis(error, keys[i].fold("accept"));
      decision.accepted = Stream(keys[i].fold("accept")).uniform() < std::exp(-error) * ratio &&
                          (drawable || fault_ == DynamicFault::no_indicator || fault_ == DynamicFault::last_state);
      if (decision.accepted) {
        state.position.assign(b, end.state.position);
        state.gradient.assign(b, end.state.gradient);
        state.energy[i] = end.state.energy[0];
      }
      record(decision, energy(one, start), error, turn + back, info);
    }
    return info;
  }

 private:
  struct One {
    Target target;
    Metric metric;
    std::vector<double> step_size;
  };
  struct Point {
    State state;
    Matrix momentum;
  };
  static Matrix momentum(const One& one, const Key& key) {
    Matrix result;
    draw_momentum(one.metric, std::vector{key.fold("momentum")}, result);
    return result;
  }
  static void advance_one(const One& one, Point& at) {
    leapfrog(one.target, one.metric, one.step_size, 1, at.state, at.momentum);
  }
  static double energy(const One& one, const Point& at) {
    return at.state.energy[0] + kinetic_energy(one.metric, at.momentum)[0];
  }
  [[nodiscard]] int first_length(int turn) const { return std::max(1, static_cast<int>(std::ceil(shortest_ * turn))); }
  [[nodiscard]] int turn_of(const One& one, const Point& from) const {
    Point at = from;
    for (int l = 1; l < max_steps_; ++l) {
      advance_one(one, at);
      double outward = 0.0;
      for (std::int64_t d = 0; d < at.momentum.columns(); ++d) {
        outward += (static_cast<double>(at.state.position(0, d)) - from.state.position(0, d)) * at.momentum(0, d);
      }
      const double error = energy(one, at) - energy(one, from);
      if (!(outward >= 0.0 && error <= kDivergence)) {
        return l;
      }
    }
    return max_steps_;
  }

  DynamicFault fault_;
  int max_steps_;
  double shortest_;
};

static_assert(Kernel<DynamicMutant>);

}  // namespace vaeguard::mcmc
