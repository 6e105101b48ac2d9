// The dynamic transition: forward to the U-turn, a draw of the length, and backward as far as the decision needs.
#include "vaeguard/mcmc/dynamic_hmc.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "vaeguard/base/error.h"
#include "vaeguard/mcmc/accept.h"
#include "vaeguard/mcmc/march.h"
#include "vaeguard/mcmc/registry.h"

namespace vaeguard::mcmc {
namespace {

// The states of one chain along its trajectory; entry 0 is the start.
class Path {
 public:
  void add(const Waypoint& at) {
    const auto append = [](std::span<const float> row, std::vector<float>& to) {
      to.insert(to.end(), row.begin(), row.end());
    };
    append(at.state.position.row(at.row), positions_);
    append(at.state.gradient.row(at.row), gradients_);
    append(at.momentum.row(at.row), momenta_);
    energies_.push_back(at.state.energy[static_cast<std::size_t>(at.row)]);
    totals_.push_back(at.total_energy);
  }
  [[nodiscard]] int steps() const { return static_cast<int>(energies_.size()) - 1; }
  [[nodiscard]] double total(int l) const { return totals_[static_cast<std::size_t>(l)]; }
  [[nodiscard]] std::span<const float> position(int l) const { return row(positions_, l); }
  [[nodiscard]] std::span<const float> momentum(int l) const { return row(momenta_, l); }
  void copy_to(int l, std::int64_t b, State& state) const {
    std::ranges::copy(position(l), state.position.row(b).begin());
    std::ranges::copy(row(gradients_, l), state.gradient.row(b).begin());
    state.energy[static_cast<std::size_t>(b)] = energies_[static_cast<std::size_t>(l)];
  }

 private:
  [[nodiscard]] std::span<const float> row(const std::vector<float>& values, int l) const {
    const std::size_t dimension = values.size() / energies_.size();
    return std::span(values).subspan(static_cast<std::size_t>(l) * dimension, dimension);
  }

  std::vector<float> positions_;
  std::vector<float> gradients_;
  std::vector<float> momenta_;
  std::vector<double> energies_;
  std::vector<double> totals_;
};

// (to - from) . momentum
double outward(std::span<const float> from, std::span<const float> to, std::span<const float> momentum) {
  double sum = 0.0;
  for (std::size_t d = 0; d < from.size(); ++d) {
    sum += (static_cast<double>(to[d]) - from[d]) * momentum[d];
  }
  return sum;
}

bool diverged(double energy_error) { return std::isnan(energy_error) || energy_error > kDivergence; }

// One chain's transition.
struct Chain {
  Path path;
  bool divergent = false;
  int length = 0;      // L
  int back = 0;        // lower bound on M': backward steps from z_L known not to end the trajectory, plus one
  bool known = false;  // whether M' equals `back`
  int gradients = 0;
  double uniform = 0.0;
};

// The transition of all chains.
class Transition {
 public:
  Transition(const DynamicHmc::Options& options, std::span<const Key> keys, const Target& target,
             const Parameters& parameters, State& state)
      : options_(options), keys_(keys), target_(target), parameters_(parameters), state_(state), chains_(keys.size()) {}

  Info run() {
    draw_momentum(parameters_.metric, fold_all(keys_, "momentum"), momentum_);
    go_there();
    for (std::size_t b = 0; b < chains_.size(); ++b) {
      choose(keys_[b], chains_[b]);
    }
    go_back();
    return finish();
  }

 private:
  [[nodiscard]] int first_length(int turn) const {
    return std::max(1, static_cast<int>(std::ceil(options_.shortest * turn)));
  }
  [[nodiscard]] int lengths(int turn) const { return turn - first_length(turn) + 1; }

  // Would the chain be accepted if M' were `back`? As `back` grows, the answer can only change from yes to no.
  [[nodiscard]] bool acceptable(const Chain& chain) const {
    const double ratio = static_cast<double>(lengths(chain.path.steps())) / lengths(chain.back);
    const bool drawable = first_length(chain.back) <= chain.length && chain.length <= chain.back;
    return drawable && chain.uniform < std::exp(-error(chain)) * ratio;
  }
  static double error(const Chain& chain) { return chain.path.total(chain.length) - chain.path.total(0); }

  // Runs every chain forward to its first U-turn.
  void go_there() {
    const auto kinetic = kinetic_energy(parameters_.metric, momentum_);
    std::vector<std::int64_t> all;
    for (std::int64_t b = 0; b < state_.chains(); ++b) {
      const auto i = static_cast<std::size_t>(b);
      chains_[i].path.add({state_, momentum_, b, state_.energy[i] + kinetic[i]});
      all.push_back(b);
    }
    march(target_, parameters_, state_, momentum_, std::move(all), [&](std::int64_t b, const Waypoint& at) {
      Chain& chain = chains_[static_cast<std::size_t>(b)];
      chain.path.add(at);
      ++chain.gradients;
      chain.divergent = diverged(at.total_energy - chain.path.total(0));
      const int l = chain.path.steps();
      return !chain.divergent && l < options_.max_steps &&
             outward(chain.path.position(0), chain.path.position(l), chain.path.momentum(l)) >= 0.0;
    });
  }

  // Draws L, and retraces the known part of the backward trajectory, from z_L to z.
  void choose(const Key& key, Chain& chain) const {
    const Path& path = chain.path;
    chain.uniform = Stream(key.fold("accept")).uniform();
    chain.length =
        first_length(path.steps()) +
        static_cast<int>(Stream(key.fold("length")).below(static_cast<std::uint64_t>(lengths(path.steps()))));
    for (chain.back = 1; chain.back <= chain.length && !chain.known; ++chain.back) {
      const int l = chain.length - chain.back;
      chain.known = diverged(path.total(l) - path.total(chain.length)) ||
                    outward(path.position(chain.length), path.position(l), path.momentum(l)) > 0.0 ||
                    chain.back == options_.max_steps;
    }
    chain.back -= chain.known ? 1 : 0;
  }

  // Continues the backward trajectory beyond z while the decision is open.
  void go_back() {
    Matrix reversed = momentum_;
    std::ranges::transform(reversed.flat(), reversed.data(), std::negate<>{});
    std::vector<std::int64_t> open;
    for (std::size_t b = 0; b < chains_.size(); ++b) {
      if (!chains_[b].known && acceptable(chains_[b])) {
        open.push_back(static_cast<std::int64_t>(b));
      }
    }
    march(target_, parameters_, state_, std::move(reversed), std::move(open), [&](std::int64_t b, const Waypoint& at) {
      Chain& chain = chains_[static_cast<std::size_t>(b)];
      ++chain.gradients;
      const auto end = chain.path.position(chain.length);
      chain.known = diverged(at.total_energy - chain.path.total(chain.length)) ||
                    outward(end, at.state.position.row(at.row), at.momentum.row(at.row)) < 0.0 ||
                    chain.back == options_.max_steps;
      chain.back += chain.known ? 0 : 1;
      return !chain.known && acceptable(chain);
    });
  }

  [[nodiscard]] Divergence divergence(std::int64_t b, const Path& path) const {
    const int last = path.steps();
    return mcmc::divergence(b, parameters_.step_size[static_cast<std::size_t>(b)], path.total(last) - path.total(0),
                            path.position(0), path.momentum(0), path.position(last));
  }

  Info finish() {
    Info info;
    for (std::int64_t b = 0; b < state_.chains(); ++b) {
      const Chain& chain = chains_[static_cast<std::size_t>(b)];
      Decision decision = metropolis(error(chain), keys_[static_cast<std::size_t>(b)].fold("accept"));
      decision.divergent = decision.divergent || chain.divergent;
      decision.accepted = acceptable(chain);
      if (decision.accepted) {
        chain.path.copy_to(chain.length, b, state_);
      }
      record(decision, chain.path.total(0), error(chain), chain.gradients, info);
      if (decision.divergent) {
        info.divergences.push_back(divergence(b, chain.path));
      }
      info.turn.push_back(chain.path.steps());
    }
    return info;
  }

  const DynamicHmc::Options& options_;
  std::span<const Key> keys_;
  const Target& target_;
  const Parameters& parameters_;
  State& state_;
  std::vector<Chain> chains_;
  Matrix momentum_;
};

}  // namespace

DynamicHmc::DynamicHmc(const Options& options) : options_(options) {
  if (options.max_steps < 1) {
    misuse("mcmc.dynamic_hmc", "max_steps must be at least 1, got {}", options.max_steps);
  }
  if (!(options.shortest >= 0.0 && options.shortest <= 1.0)) {
    misuse("mcmc.dynamic_hmc", "shortest must be in [0, 1], got {}", options.shortest);
  }
}

Info DynamicHmc::step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                      State& state) const {
  validate(parameters, state);
  return Transition(options_, keys, target, parameters, state).run();
}

KernelEntry dynamic_entry() {
  return {.name = "dynamic",
          .title = "Dynamic HMC",
          .description = "HMC whose trajectories run until they turn",
          .reads = {"leapfrog_steps", "shortest"},
          .make = [](const KernelOptions& options) -> AnyKernel {
            return DynamicHmc({.max_steps = options.leapfrog_steps, .shortest = options.shortest});
          },
          .target_acceptance = 0.8};
}

}  // namespace vaeguard::mcmc
