// Some chains of a batch as a batch of their own, and back again; for the sources of this folder only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "vaeguard/mcmc/metric.h"
#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {

/// The named chains with everything that a leapfrog step needs.
class Part {
 public:
  Part(const Target& target, const Metric& of_metric, std::span<const double> of_step_size, const State& of_state,
       const Matrix& of_momentum, std::vector<std::int64_t> chains)
      : state(gather(of_state, chains)),
        momentum(of_momentum.gather(chains)),
        metric{of_metric.inverse_mass.gather(chains)},
        chains_(std::move(chains)),
        target_{target.field, {}} {
    for (const std::int64_t chain : chains_) {
      step_size.push_back(of_step_size[static_cast<std::size_t>(chain)]);
      target_.functions.push_back(target.functions[static_cast<std::size_t>(chain)]);
    }
  }

  [[nodiscard]] const Target& target() const { return target_; }
  [[nodiscard]] const std::vector<std::int64_t>& chains() const { return chains_; }
  /// Writes state and momentum back to where they came from.
  void put(State& all, Matrix& all_momentum) const {
    scatter(state, chains_, all);
    for (std::size_t i = 0; i < chains_.size(); ++i) {
      std::ranges::copy(momentum.row(static_cast<std::int64_t>(i)), all_momentum.row(chains_[i]).begin());
    }
  }

  State state;
  Matrix momentum;
  Metric metric;
  std::vector<double> step_size;

 private:
  std::vector<std::int64_t> chains_;
  Target target_;
};

}  // namespace vaeguard::mcmc
