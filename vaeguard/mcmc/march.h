// Single leapfrog steps of chains that end at different times; for the sources of this folder only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "vaeguard/mcmc/integrator.h"
#include "vaeguard/mcmc/kernel.h"

namespace vaeguard::mcmc {

/// The named chains of a target; `members` keeps the list that the result refers to.
inline Target subset(const Target& target, std::span<const std::int64_t> chains, std::vector<std::int64_t>& members) {
  members.assign(chains.begin(), chains.end());
  for (std::int64_t& member : members) {
    member = target.members.empty() ? member : target.members[static_cast<std::size_t>(member)];
  }
  return {target.field, target.first, members};
}

/// Where a chain is: row `row` of a state, its momentum and its total energy.
struct Waypoint {
  const State& state;
  const Matrix& momentum;
  std::int64_t row;
  double total_energy;
};

/// Steps the `active` chains, all together, until more(b, waypoint) has said of each chain b that it is done. A field
/// that integrates by itself, a device, gets its whole batch at each step; elsewhere chains that are done leave.
template <typename More>
void march(const Target& target, const Parameters& parameters, State state, Matrix momentum,
           std::vector<std::int64_t> active, const More& more) {
  const bool leave = dynamic_cast<const TrajectoryField*>(&target.field) == nullptr;
  std::vector<std::int64_t> batch(static_cast<std::size_t>(state.chains()));
  std::iota(batch.begin(), batch.end(), 0);
  std::vector<std::int64_t> members;
  while (!active.empty()) {
    if (leave) {
      batch = active;
    }
    State some = gather(state, batch);
    Matrix some_momentum = momentum.gather(batch);
    const Metric metric{parameters.metric.inverse_mass.gather(batch)};
    std::vector<double> step_size;
    for (const std::int64_t b : batch) {
      step_size.push_back(parameters.step_size[static_cast<std::size_t>(b)]);
    }
    leapfrog(subset(target, batch, members), metric, step_size, 1, some, some_momentum);
    const auto kinetic = kinetic_energy(metric, some_momentum);
    scatter(some, batch, state);
    std::vector<std::int64_t> remaining;
    for (std::size_t i = 0, a = 0; i < batch.size() && a < active.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      std::ranges::copy(some_momentum.row(row), momentum.row(batch[i]).begin());
      if (batch[i] == active[a]) {
        ++a;
        if (more(batch[i], Waypoint{some, some_momentum, row, some.energy[i] + kinetic[i]})) {
          remaining.push_back(batch[i]);
        }
      }
    }
    active = std::move(remaining);
  }
}

}  // namespace vaeguard::mcmc
