// HMC with one fault each, to show that the tests would find it.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "vaeguard/mcmc/accept.h"
#include "vaeguard/mcmc/kernel.h"

namespace vaeguard::mcmc {

enum class Fault {
  none,
  // These break invariance.
  wrong_accept_sign,
  missing_kinetic_energy,
  missing_half_kick,
  metric_not_in_energy,  // momentum is drawn from N(0, M), but the kinetic energy is p'p / 2
  stale_energy,          // after a rejection the proposal's energy and gradient stay behind
  // These leave the target invariant and only fail to explore it.
  identity,
  momentum_never_refreshed,  // carried on, and turned round after a rejection
  scaled_gradient,           // a quarter of the gradient: the accept step repairs what that breaks
};

/// A plain rendering of the HMC algorithm in which each fault is one line.
class Mutant {
 public:
  static constexpr bool exact = true;  // claimed, and to be refuted
  Mutant(Fault fault, int leapfrog_steps) : fault_(fault), steps_(leapfrog_steps) {}
  [[nodiscard]] int gradients_per_step() const { return steps_; }

  [[nodiscard]] Info step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) const {
    const std::int64_t chains = state.chains();
    Info info;
    if (fault_ == Fault::identity) {
      const auto n = static_cast<std::size_t>(chains);
      return {std::vector<double>(n, 1.0), std::vector<char>(n, 1), std::vector<char>(n, 0), std::vector<double>(n)};
    }
    Matrix momentum = draw(keys, parameters.metric);
    const Matrix start = momentum;
    const auto kinetic_before = kinetic(parameters.metric, momentum);
    State proposal = state;
    kick(proposal, parameters, 0.5, momentum);
    for (int l = 1; l <= steps_; ++l) {
      drift(parameters, momentum, proposal.position);
      evaluate(target, proposal);
      if (!(fault_ == Fault::missing_half_kick && l == steps_)) {
        kick(proposal, parameters, l == steps_ ? 0.5 : 1.0, momentum);
      }
    }
    const auto kinetic_after = kinetic(parameters.metric, momentum);
    for (std::int64_t b = 0; b < chains; ++b) {
      const auto i = static_cast<std::size_t>(b);
      double error = proposal.energy[i] - state.energy[i];
      error += fault_ == Fault::missing_kinetic_energy ? 0.0 : kinetic_after[i] - kinetic_before[i];
      error *= fault_ == Fault::wrong_accept_sign ? -1.0 : 1.0;
      const Decision decision = metropolis(error, keys[i].fold("accept"));
      if (decision.accepted) {
        copy_chain(proposal, b, state);
      } else if (fault_ == Fault::stale_energy) {
        state.energy[i] = proposal.energy[i];
        std::ranges::copy(proposal.gradient.row(b), state.gradient.row(b).begin());
      }
      for (std::int64_t d = 0; !decision.accepted && d < start.columns(); ++d) {
        momentum(b, d) = -start(b, d);
      }
      info.acceptance.push_back(decision.acceptance);
      info.accepted.push_back(static_cast<char>(decision.accepted));
      info.divergent.push_back(static_cast<char>(decision.divergent));
      info.energy_error.push_back(error);
    }
    if (fault_ == Fault::momentum_never_refreshed) {
      momentum_ = momentum;
    }
    return info;
  }

 private:
  [[nodiscard]] Matrix draw(std::span<const Key> keys, const Metric& metric) const {
    if (!momentum_.empty()) {
      return momentum_;
    }
    std::vector<Key> momentum_keys;
    for (const Key& key : keys) {
      momentum_keys.push_back(key.fold("momentum"));
    }
    Matrix momentum;
    draw_momentum(metric, momentum_keys, momentum);
    return momentum;
  }
  [[nodiscard]] std::vector<double> kinetic(const Metric& metric, const Matrix& momentum) const {
    return fault_ == Fault::metric_not_in_energy
               ? kinetic_energy(identity_metric(momentum.rows(), momentum.columns()), momentum)
               : kinetic_energy(metric, momentum);
  }
  void kick(const State& state, const Parameters& parameters, double factor, Matrix& momentum) const {
    const double scale = fault_ == Fault::scaled_gradient ? 0.25 * factor : factor;
    for (std::int64_t b = 0; b < momentum.rows(); ++b) {
      const auto step = static_cast<float>(scale * parameters.step_size[static_cast<std::size_t>(b)]);
      for (std::int64_t d = 0; d < momentum.columns(); ++d) {
        momentum(b, d) -= step * state.gradient(b, d);
      }
    }
  }
  static void drift(const Parameters& parameters, const Matrix& momentum, Matrix& position) {
    for (std::int64_t b = 0; b < position.rows(); ++b) {
      const auto step = static_cast<float>(parameters.step_size[static_cast<std::size_t>(b)]);
      for (std::int64_t d = 0; d < position.columns(); ++d) {
        position(b, d) += step * parameters.metric.inverse_mass(b, d) * momentum(b, d);
      }
    }
  }

  Fault fault_;
  int steps_;
  mutable Matrix momentum_;  // carried from one transition to the next where it is never refreshed
};

static_assert(Kernel<Mutant>);

}  // namespace vaeguard::mcmc
