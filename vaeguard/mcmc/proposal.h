// A leapfrog trajectory as a proposal, and the accept loop of every kernel that makes one.
#pragma once

#include <span>

#include "vaeguard/mcmc/metric.h"
#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {

/// What becomes of the end of a trajectory.
enum class Acceptance {
  metropolis,  // taken with probability min(1, exp(-energy error)), which leaves the target invariant
  always,      // taken wherever its energy is a number
};

/// steps[b] leapfrog steps of size step_size[b] from each chain's state and momentum. A chain that takes the end has it
/// in `state` and `momentum` afterwards; one that does not keeps both. keys[b].fold("accept") decides.
Info propose(std::span<const Key> keys, const Target& target, const Metric& metric, std::span<const double> step_size,
             std::span<const int> steps, Acceptance acceptance, State& state, Matrix& momentum);

}  // namespace vaeguard::mcmc
