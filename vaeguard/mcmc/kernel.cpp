// Checks of a transition's parameters.
#include "vaeguard/mcmc/kernel.h"

#include <cmath>

#include "vaeguard/base/error.h"

namespace vaeguard::mcmc {

void validate(const Parameters& parameters, const State& state) {
  if (static_cast<std::int64_t>(parameters.step_size.size()) != state.chains()) {
    misuse("mcmc.kernel", "step_size must have one entry for each of {} chains, got {}", state.chains(),
           parameters.step_size.size());
  }
  check_shape("mcmc.kernel", "inverse_mass", parameters.metric.inverse_mass, state.chains(), state.position.columns());
  for (const double step : parameters.step_size) {
    if (!std::isfinite(step) || step <= 0.0) {
      misuse("mcmc.kernel", "step_size must be finite and > 0, got {}", step);
    }
  }
  if (!parameters.leapfrog_steps.empty() && parameters.leapfrog_steps.size() != parameters.step_size.size()) {
    misuse("mcmc.kernel", "leapfrog_steps must have one entry for each of {} chains or none, got {}", state.chains(),
           parameters.leapfrog_steps.size());
  }
  for (const int steps : parameters.leapfrog_steps) {
    if (steps < 1) {
      misuse("mcmc.kernel", "leapfrog_steps must be at least 1, got {}", steps);
    }
  }
}

std::vector<Key> fold_all(std::span<const Key> keys, std::string_view purpose) {
  std::vector<Key> result;
  result.reserve(keys.size());
  for (const Key& key : keys) {
    result.push_back(key.fold(purpose));
  }
  return result;
}

}  // namespace vaeguard::mcmc
