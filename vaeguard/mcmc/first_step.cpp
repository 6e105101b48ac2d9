// Doubling and halving until the acceptance of one leapfrog step crosses 1/2.
#include "vaeguard/mcmc/first_step.h"

#include <cmath>
#include <numeric>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/mcmc/integrator.h"
#include "vaeguard/mcmc/part.h"

namespace vaeguard::mcmc {
namespace {

// Whether one step of each chain is accepted with probability 1/2 or more. An energy error of NaN counts as not
// accepted.
std::vector<bool> accepts(Part part) {
  auto before = kinetic_energy(part.metric, part.momentum);
  for (std::size_t i = 0; i < before.size(); ++i) {
    before[i] += part.state.energy[i];
  }
  leapfrog(part.target(), part.metric, part.step_size, 1, part.state, part.momentum);
  const auto kinetic = kinetic_energy(part.metric, part.momentum);
  std::vector<bool> result;
  for (std::size_t i = 0; i < before.size(); ++i) {
    result.push_back(part.state.energy[i] + kinetic[i] - before[i] <= std::log(2.0));
  }
  return result;
}

}  // namespace

FirstSteps find_first_steps(std::span<const Key> keys, const Target& target, const Metric& metric, const State& state,
                            const FirstStepOptions& options) {
  if (!std::isfinite(options.guess) || options.guess <= 0.0) {
    misuse("mcmc.first_step", "guess must be finite and > 0, got {}", options.guess);
  }
  if (options.trials < 0) {
    misuse("mcmc.first_step", "trials must be at least 0, got {}", options.trials);
  }
  FirstSteps result{std::vector<double>(keys.size(), options.guess), std::vector<int>(keys.size(), 0)};
  if (options.trials == 0) {
    return result;
  }
  Matrix momentum;
  draw_momentum(metric, keys, momentum);
  std::vector<double> tried = result.step_size;
  std::vector<char> grows(keys.size(), 1);
  std::vector<std::int64_t> active(keys.size());
  std::iota(active.begin(), active.end(), 0);
  for (int trial = 0; trial < options.trials && !active.empty(); ++trial) {
    const auto good = accepts(Part(target, metric, tried, state, momentum, active));
    std::vector<std::int64_t> remaining;
    for (std::size_t i = 0; i < active.size(); ++i) {
      const auto b = static_cast<std::size_t>(active[i]);
      ++result.gradients[b];
      grows[b] = trial == 0 ? static_cast<char>(good[i]) : grows[b];
      if (good[i] || grows[b] == 0) {
        result.step_size[b] = good[i] ? tried[b] : 0.5 * tried[b];
      }
      if (good[i] == (grows[b] != 0)) {
        tried[b] *= good[i] ? 2.0 : 0.5;
        remaining.push_back(active[i]);
      }
    }
    active = std::move(remaining);
  }
  return result;
}

}  // namespace vaeguard::mcmc
