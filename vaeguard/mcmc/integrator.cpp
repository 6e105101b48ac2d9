// The leapfrog integrator over a batch of chains.
#include "vaeguard/mcmc/integrator.h"

#include <map>
#include <vector>

#include "vaeguard/mcmc/part.h"

namespace vaeguard::mcmc {
namespace {

// p -= factor * step * dU/dz
void kick(const State& state, std::span<const double> step_size, double factor, Matrix& momentum) {
  for (std::int64_t b = 0; b < momentum.rows(); ++b) {
    const auto scale = static_cast<float>(factor * step_size[static_cast<std::size_t>(b)]);
    auto p = momentum.row(b);
    const auto gradient = state.gradient.row(b);
    for (std::size_t d = 0; d < p.size(); ++d) {
      p[d] -= scale * gradient[d];
    }
  }
}

// z += step * M^-1 p
void drift(const Metric& metric, std::span<const double> step_size, const Matrix& momentum, Matrix& position) {
  for (std::int64_t b = 0; b < position.rows(); ++b) {
    const auto scale = static_cast<float>(step_size[static_cast<std::size_t>(b)]);
    auto z = position.row(b);
    const auto p = momentum.row(b);
    const auto inverse_mass = metric.inverse_mass.row(b);
    for (std::size_t d = 0; d < z.size(); ++d) {
      z[d] += scale * inverse_mass[d] * p[d];
    }
  }
}

}  // namespace

void leapfrog(const Target& target, const Metric& metric, std::span<const double> step_size, int steps, State& state,
              Matrix& momentum) {
  if (const auto* field = dynamic_cast<const TrajectoryField*>(&target.field)) {
    field->leapfrog(target.functions, metric, step_size, steps, state, momentum);
    return;
  }
  kick(state, step_size, 0.5, momentum);
  for (int l = 1; l < steps; ++l) {
    drift(metric, step_size, momentum, state.position);
    evaluate_gradient(target, state);
    kick(state, step_size, 1.0, momentum);
  }
  drift(metric, step_size, momentum, state.position);
  evaluate(target, state);
  kick(state, step_size, 0.5, momentum);
}

void leapfrog(const Target& target, const Metric& metric, std::span<const double> step_size, std::span<const int> steps,
              State& state, Matrix& momentum) {
  std::map<int, std::vector<std::int64_t>> chains_of;
  for (std::size_t b = 0; b < steps.size(); ++b) {
    chains_of[steps[b]].push_back(static_cast<std::int64_t>(b));
  }
  if (chains_of.size() == 1) {
    leapfrog(target, metric, step_size, steps[0], state, momentum);
    return;
  }
  for (const auto& [length, chains] : chains_of) {
    Part part(target, metric, step_size, state, momentum, chains);
    leapfrog(part.target(), part.metric, part.step_size, length, part.state, part.momentum);
    part.put(state, momentum);
  }
}

}  // namespace vaeguard::mcmc
