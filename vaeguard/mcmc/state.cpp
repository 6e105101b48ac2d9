// Evaluating and copying states; energies that are not finite become +infinity, so that such proposals are rejected.
#include "vaeguard/mcmc/state.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::mcmc {
namespace {

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

}  // namespace

State make_state(const Target& target, Matrix position) {
  check_finite("mcmc.state", "position", position);
  if (std::ssize(target.functions) != position.rows()) {
    misuse("mcmc.state", "the target must have one function for each of {} chains, got {}", position.rows(),
           target.functions.size());
  }
  State state;
  state.position = std::move(position);
  state.energy.resize(static_cast<std::size_t>(state.chains()));
  state.gradient.resize(state.position.rows(), state.position.columns());
  evaluate(target, state);
  return state;
}

void evaluate(const Target& target, State& state) {
  target.field.evaluate(target.functions, state.position, state.energy, &state.gradient);
  for (std::int64_t b = 0; b < state.chains(); ++b) {
    auto gradient = state.gradient.row(b);
    if (!std::isfinite(state.energy[static_cast<std::size_t>(b)]) || !all_finite(gradient)) {
      state.energy[static_cast<std::size_t>(b)] = std::numeric_limits<double>::infinity();
      std::ranges::fill(gradient, 0.0F);
    }
  }
}

void evaluate_gradient(const Target& target, State& state) {
  target.field.gradients(target.functions, state.position, state.gradient);
  for (std::int64_t b = 0; b < state.chains(); ++b) {
    auto gradient = state.gradient.row(b);
    if (!all_finite(gradient)) {
      std::ranges::fill(gradient, 0.0F);
    }
  }
}

State gather(const State& state, std::span<const std::int64_t> chains) {
  State result{state.position.gather(chains), {}, state.gradient.gather(chains)};
  for (const std::int64_t b : chains) {
    result.energy.push_back(state.energy[static_cast<std::size_t>(b)]);
  }
  return result;
}

void scatter(const State& from, std::span<const std::int64_t> chains, State& to) {
  for (std::size_t i = 0; i < chains.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    std::ranges::copy(from.position.row(row), to.position.row(chains[i]).begin());
    std::ranges::copy(from.gradient.row(row), to.gradient.row(chains[i]).begin());
    to.energy[static_cast<std::size_t>(chains[i])] = from.energy[i];
  }
}

void copy_chain(const State& from, std::int64_t b, State& to) {
  std::ranges::copy(from.position.row(b), to.position.row(b).begin());
  std::ranges::copy(from.gradient.row(b), to.gradient.row(b).begin());
  to.energy[static_cast<std::size_t>(b)] = from.energy[static_cast<std::size_t>(b)];
}

std::vector<Key> step_keys(std::span<const Key> keys, std::uint64_t t) {
  std::vector<Key> result;
  result.reserve(keys.size());
  for (const Key& key : keys) {
    result.push_back(key.fold(t));
  }
  return result;
}

}  // namespace vaeguard::mcmc
