// Diagonal metrics.
#include "vaeguard/mcmc/metric.h"

#include <cmath>

namespace vaeguard::mcmc {

Metric identity_metric(std::int64_t chains, std::int64_t dimension) { return {Matrix(chains, dimension, 1.0F)}; }

void draw_momentum(const Metric& metric, std::span<const Key> keys, Matrix& momentum) {
  momentum.resize(metric.inverse_mass.rows(), metric.inverse_mass.columns());
  for (std::int64_t b = 0; b < momentum.rows(); ++b) {
    fill_normal(keys[static_cast<std::size_t>(b)], momentum.row(b));
    for (std::int64_t d = 0; d < momentum.columns(); ++d) {
      momentum(b, d) /= std::sqrt(metric.inverse_mass(b, d));
    }
  }
}

std::vector<double> kinetic_energy(const Metric& metric, const Matrix& momentum) {
  std::vector<double> result(static_cast<std::size_t>(momentum.rows()));
  for (std::int64_t b = 0; b < momentum.rows(); ++b) {
    double sum = 0.0;
    for (std::int64_t d = 0; d < momentum.columns(); ++d) {
      sum += static_cast<double>(metric.inverse_mass(b, d)) * momentum(b, d) * momentum(b, d);
    }
    result[static_cast<std::size_t>(b)] = 0.5 * sum;
  }
  return result;
}

}  // namespace vaeguard::mcmc
