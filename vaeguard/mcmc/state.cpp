// Evaluating and copying states; energies that are no numbers become +infinity, which no proposal survives.
#include "vaeguard/mcmc/state.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace vaeguard::mcmc {
namespace {

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

/// Calls function(position, gradient) with the chains of one run. All chains are one run as a rule, and then nothing is
/// copied.
template <typename Function>
void on_rows(const Run& run, State& state, const Function& function) {
  if (run.count == state.chains()) {
    function(state.position, state.gradient);
    return;
  }
  Matrix gradient;
  function(state.position.slice(run.begin, run.count), gradient);
  state.gradient.assign(run.begin, gradient);
}

}  // namespace

State make_state(const Target& target, Matrix position) {
  check_finite("mcmc.state", "position", position);
  State state;
  state.position = std::move(position);
  state.energy.resize(static_cast<std::size_t>(state.chains()));
  state.gradient.resize(state.position.rows(), state.position.columns());
  evaluate(target, state);
  return state;
}

std::vector<Run> runs(const Target& target, std::int64_t chains) {
  if (target.members.empty()) {
    return {{0, chains, target.first}};
  }
  std::vector<Run> result;
  for (std::int64_t b = 0; b < chains; ++b) {
    const std::int64_t function = target.first + target.members[static_cast<std::size_t>(b)];
    if (result.empty() || function != result.back().first + result.back().count) {
      result.push_back({b, 0, function});
    }
    ++result.back().count;
  }
  return result;
}

void evaluate(const Target& target, State& state) {
  for (const Run& run : runs(target, state.chains())) {
    const auto energies =
        std::span(state.energy).subspan(static_cast<std::size_t>(run.begin), static_cast<std::size_t>(run.count));
    on_rows(run, state, [&](const Matrix& position, Matrix& gradient) {
      target.field.evaluate(run.first, position, energies, &gradient);
    });
  }
  for (std::int64_t b = 0; b < state.chains(); ++b) {
    auto gradient = state.gradient.row(b);
    if (!std::isfinite(state.energy[static_cast<std::size_t>(b)]) || !all_finite(gradient)) {
      state.energy[static_cast<std::size_t>(b)] = std::numeric_limits<double>::infinity();
      std::ranges::fill(gradient, 0.0F);
    }
  }
}

void evaluate_gradient(const Target& target, State& state) {
  for (const Run& run : runs(target, state.chains())) {
    on_rows(run, state,
            [&](const Matrix& position, Matrix& gradient) { target.field.gradients(run.first, position, gradient); });
  }
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
