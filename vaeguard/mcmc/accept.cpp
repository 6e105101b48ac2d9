// The Metropolis decision.
#include "vaeguard/mcmc/accept.h"

#include <algorithm>
#include <cmath>

#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {

Decision metropolis(double energy_error, Key key) {
  Decision decision;
  decision.divergent = std::isnan(energy_error) || energy_error > kDivergence;
  decision.acceptance = std::isnan(energy_error) ? 0.0 : std::min(1.0, std::exp(-energy_error));
  decision.accepted = Stream(key).uniform() < decision.acceptance;
  return decision;
}

}  // namespace vaeguard::mcmc
