// The Metropolis decision.
#include "vaeguard/mcmc/accept.h"

#include <algorithm>
#include <cmath>

namespace vaeguard::mcmc {

Decision metropolis(double energy_error, Key key) {
  Decision decision;
  decision.divergent = std::isnan(energy_error) || energy_error > kDivergence;
  decision.acceptance = std::isnan(energy_error) ? 0.0 : std::min(1.0, std::exp(-energy_error));
  decision.accepted = Stream(key).uniform() < decision.acceptance;
  return decision;
}

void record(const Decision& decision, double total_energy, double energy_error, int gradients, Info& info) {
  info.acceptance.push_back(decision.acceptance);
  info.accepted.push_back(static_cast<char>(decision.accepted));
  info.divergent.push_back(static_cast<char>(decision.divergent));
  info.energy_error.push_back(energy_error);
  info.gradients.push_back(gradients);
  info.total_energy.push_back(total_energy);
}

Divergence divergence(std::int64_t chain, double step_size, double energy_error, std::span<const float> position,
                      std::span<const float> momentum, std::span<const float> end) {
  return {.chain = chain,
          .step_size = step_size,
          .energy_error = energy_error,
          .position = {position.begin(), position.end()},
          .momentum = {momentum.begin(), momentum.end()},
          .end = {end.begin(), end.end()}};
}

}  // namespace vaeguard::mcmc
