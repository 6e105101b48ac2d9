// A diagonal metric learned from the positions and gradients that warm-up visits.
#pragma once

#include <cstdint>
#include <vector>

#include "vaeguard/mcmc/metric.h"
#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {

/// The inverse masses sqrt(var(z) / var(grad U)), which minimise the Fisher divergence between the target and a
/// diagonal normal (Seyboldt, Carlson and Carpenter 2024, "Preconditioning Hamiltonian Monte Carlo by minimizing Fisher
/// divergence"). For independent normals that is exactly sigma^2, however few states there are and wherever they lie;
/// sample variances would need hundreds of draws. The `group` consecutive chains of one image are pooled; other images
/// are never seen. After n states the estimate has weight n / (n + 2), in logarithms, and the starting metric the rest.
class MetricEstimate {
 public:
  /// Throws Misuse unless group >= 1 divides the number of chains.
  MetricEstimate(Metric start, std::int64_t group);
  /// Adds the current state of every chain.
  void add(const State& state);
  /// The same for all chains of a group. A coordinate that has not moved keeps its starting value.
  [[nodiscard]] Metric estimate() const;

 private:
  Metric start_;
  std::int64_t group_;
  std::int64_t states_ = 0;   // per chain
  std::vector<double> sums_;  // [group, D] of z - origin, its square, the gradient and its square: 4 numbers
  Matrix origin_;             // [group, D], the first position, subtracted so that sums stay small
};

}  // namespace vaeguard::mcmc
