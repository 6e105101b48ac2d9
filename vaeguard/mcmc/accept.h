// The Metropolis decision on an energy error.
#pragma once

#include <cstdint>
#include <span>

#include "vaeguard/base/random.h"
#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {

struct Decision {
  double acceptance = 0.0;  // a probability
  bool accepted = false;
  bool divergent = false;
};

/// Accepts with probability min(1, exp(-energy_error)) (Neal 2011, eq. 5.13). An error that is NaN or above
/// kDivergence (+infinity included) is a divergence; NaN and +infinity are always rejected.
Decision metropolis(double energy_error, Key key);

/// Adds the next chain's entry to `info`; `total_energy` is H where the transition started.
void record(const Decision& decision, double total_energy, double energy_error, int gradients, Info& info);

/// The divergence of one chain, with copies of its positions and momentum.
Divergence divergence(std::int64_t chain, double step_size, double energy_error, std::span<const float> position,
                      std::span<const float> momentum, std::span<const float> end);

}  // namespace vaeguard::mcmc
