// Independent replicates of a short chain: every replicate starts at an exact draw, or where it is told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/mcmc/statistics.h"
#include "tests/mcmc/toy_fields.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/mcmc/kernel.h"

namespace vaeguard::mcmc {

/// One frozen setting for all replicates.
struct Setting {
  double step_size = 0.1;
  std::vector<float> inverse_mass = {};  // [D]; empty for the identity
  int transitions = 3;
};

struct Outcome {
  Matrix positions;
  std::vector<double> energies;
  double mean_acceptance = 0.0;  // over replicates and transitions
  std::int64_t divergences = 0;
};

inline Parameters parameters_of(const Setting& setting, std::int64_t chains, std::int64_t dimension) {
  Parameters parameters{std::vector<double>(static_cast<std::size_t>(chains), setting.step_size),
                        identity_metric(chains, dimension)};
  for (std::int64_t b = 0; b < chains && !setting.inverse_mass.empty(); ++b) {
    std::ranges::copy(setting.inverse_mass, parameters.metric.inverse_mass.row(b).begin());
  }
  return parameters;
}

inline std::vector<Key> chain_keys(Key key, std::int64_t first, std::int64_t count) {
  std::vector<Key> keys;
  for (std::int64_t b = first; b < first + count; ++b) {
    keys.push_back(key.fold(static_cast<std::uint64_t>(b)));
  }
  return keys;
}

/// Runs every row of `start` for setting.transitions transitions of a copy of `kernel`, `chunk` rows at a time on two
/// threads.
template <Kernel K>
Outcome advance(const K& kernel, const ScalarField& field, const Matrix& start, const Setting& setting, Key key,
                std::int64_t chunk = 64) {
  const std::int64_t chunks = (start.rows() + chunk - 1) / chunk;
  Outcome outcome{Matrix(start.rows(), start.columns()), std::vector<double>(static_cast<std::size_t>(start.rows()))};
  std::vector<double> acceptance(static_cast<std::size_t>(chunks), 0.0);
  std::vector<std::int64_t> divergences(static_cast<std::size_t>(chunks), 0);
  parallel_chunks(start.rows(), chunk, 2, [&](std::int64_t first, std::int64_t count) {
    const K own = kernel;
    const Target target{field, consecutive(first, count)};
    const auto keys = chain_keys(key, first, count);
    const Parameters parameters = parameters_of(setting, count, start.columns());
    State state = make_state(target, start.slice(first, count));
    for (int t = 0; t < setting.transitions; ++t) {
      const Info info = own.step(step_keys(keys, static_cast<std::uint64_t>(t)), target, parameters, state);
      for (std::size_t b = 0; b < keys.size(); ++b) {
        acceptance[static_cast<std::size_t>(first / chunk)] += info.acceptance[b];
        divergences[static_cast<std::size_t>(first / chunk)] += info.divergent[b];
      }
    }
    outcome.positions.assign(first, state.position);
    std::ranges::copy(state.energy, outcome.energies.begin() + first);
  });
  for (std::size_t c = 0; c < acceptance.size(); ++c) {
    outcome.mean_acceptance += acceptance[c] / static_cast<double>(start.rows() * setting.transitions);
    outcome.divergences += divergences[c];
  }
  return outcome;
}

inline Matrix exact_draws(const ToyField& field, std::int64_t count, Key key) {
  Matrix draws(count, field.dimension());
  for (std::int64_t b = 0; b < count; ++b) {
    field.draw(key.fold(static_cast<std::uint64_t>(b)), draws.row(b));
  }
  return draws;
}

/// Are these rows draws of the field's density? Every coordinate by itself, and all together: they are independent.
inline statistics::Judgement judge_draws(const ToyField& field, const Matrix& positions) {
  statistics::Judgement judgement;
  std::vector<double> all;
  for (std::int64_t d = 0; d < positions.columns(); ++d) {
    std::vector<double> one;
    for (std::int64_t b = 0; b < positions.rows(); ++b) {
      one.push_back(field.uniform(positions.row(b), d));
    }
    all.insert(all.end(), one.begin(), one.end());
    judgement.add_uniform("coordinate " + std::to_string(d), std::move(one));
  }
  judgement.add_uniform("all coordinates", std::move(all));
  return judgement;
}

/// Starts at exact draws, so that a kernel that leaves the density invariant ends at exact draws.
template <Kernel K>
statistics::Judgement judge_invariance(const K& kernel, const ToyField& field, const Setting& setting,
                                       std::int64_t replicates, Key key) {
  const Matrix start = exact_draws(field, replicates, key.fold("start"));
  return judge_draws(field, advance(kernel, field, start, setting, key.fold("chains")).positions);
}

}  // namespace vaeguard::mcmc
