// Leapfrog: a reversible, volume-preserving approximation of Hamilton's equations.
#pragma once

#include <span>

#include "vaeguard/mcmc/metric.h"
#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {

/// `steps` leapfrog steps of size step_size[b] for each chain, in place: half a kick, then drifts and whole kicks, half
/// a kick. The state's gradient must belong to its position; afterwards energy and gradient belong to the new one.
/// Costs `steps` gradients and one energy. (The paper's Algorithm 1 reads z^(l) before it is set; the order here is the
/// usual one.)
void leapfrog(const Target& target, const Metric& metric, std::span<const double> step_size, int steps, State& state,
              Matrix& momentum);

}  // namespace vaeguard::mcmc
