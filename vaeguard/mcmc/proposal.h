// A leapfrog trajectory as a proposal, and the accept loop of every kernel that makes one.
#pragma once

#include <span>

#include "vaeguard/mcmc/metric.h"
#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {

/// How the end of a trajectory is accepted.
enum class Acceptance {
  metropolis,  // with probability min(1, exp(-energy error)), which leaves the target invariant
  always,      // wherever its energy is a number
};

/// steps[b] leapfrog steps of size step_size[b] from each chain's state and momentum. Accepted chains have the end in
/// `state` and `momentum` afterwards; rejected ones keep both. keys[b].fold("accept") is the key of the decision.
Info propose(std::span<const Key> keys, const Target& target, const Metric& metric, std::span<const double> step_size,
             std::span<const int> steps, Acceptance acceptance, State& state, Matrix& momentum);

}  // namespace vaeguard::mcmc
