// Single leapfrog steps of chains that stop at different times; for the sources of this folder only.
#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "vaeguard/mcmc/integrator.h"
#include "vaeguard/mcmc/kernel.h"
#include "vaeguard/mcmc/part.h"

namespace vaeguard::mcmc {

/// Where a chain is: row `row` of a state, its momentum and its total energy.
struct Waypoint {
  const State& state;
  const Matrix& momentum;
  std::int64_t row;
  double total_energy;
};

/// Steps the `active` chains together until more(b, waypoint) has returned false for each chain b. A field that
/// integrates by itself (a device) gets its whole batch at every step; otherwise chains that are done leave the batch.
template <typename More>
void march(const Target& target, const Parameters& parameters, State state, Matrix momentum,
           std::vector<std::int64_t> active, const More& more) {
  const bool leave = dynamic_cast<const TrajectoryField*>(&target.field) == nullptr;
  std::vector<std::int64_t> batch(static_cast<std::size_t>(state.chains()));
  std::iota(batch.begin(), batch.end(), 0);
  while (!active.empty()) {
    Part part(target, parameters.metric, parameters.step_size, state, momentum, leave ? active : batch);
    leapfrog(part.target(), part.metric, part.step_size, 1, part.state, part.momentum);
    const auto kinetic = kinetic_energy(part.metric, part.momentum);
    part.put(state, momentum);
    std::vector<std::int64_t> remaining;
    for (std::size_t i = 0, a = 0; i < part.chains().size() && a < active.size(); ++i) {
      const std::int64_t b = part.chains()[i];
      if (b != active[a]) {
        continue;
      }
      ++a;
      const double total = part.state.energy[i] + kinetic[i];
      if (more(b, Waypoint{part.state, part.momentum, static_cast<std::int64_t>(i), total})) {
        remaining.push_back(b);
      }
    }
    active = std::move(remaining);
  }
}

}  // namespace vaeguard::mcmc
