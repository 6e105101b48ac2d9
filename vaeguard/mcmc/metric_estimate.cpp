// Sums over a group's states, and the ratio of their variances.
#include "vaeguard/mcmc/metric_estimate.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::mcmc {
namespace {

constexpr double kStartWeight = 2.0;  // the starting metric counts as this many states

}  // namespace

MetricEstimate::MetricEstimate(Metric start, std::int64_t group) : start_(std::move(start)), group_(group) {
  if (group < 1 || start_.inverse_mass.rows() % group != 0) {
    misuse("mcmc.metric_estimate", "group must be at least 1 and divide the {} chains, got {}",
           start_.inverse_mass.rows(), group);
  }
  const std::int64_t groups = start_.inverse_mass.rows() / group;
  sums_.assign(static_cast<std::size_t>(groups * start_.inverse_mass.columns() * 4), 0.0);
  origin_ = Matrix(groups, start_.inverse_mass.columns());
}

void MetricEstimate::add(const State& state) {
  const std::int64_t dimension = origin_.columns();
  check_shape("mcmc.metric_estimate", "position", state.position, start_.inverse_mass.rows(), dimension);
  for (std::int64_t b = 0; b < state.chains(); ++b) {
    const std::int64_t g = b / group_;
    if (states_ == 0 && b % group_ == 0) {
      std::ranges::copy(state.position.row(b), origin_.row(g).begin());
    }
    for (std::int64_t d = 0; d < dimension; ++d) {
      double* sum = &sums_[static_cast<std::size_t>((g * dimension + d) * 4)];
      const double z = static_cast<double>(state.position(b, d)) - origin_(g, d);
      const double slope = state.gradient(b, d);
      sum[0] += z;
      sum[1] += z * z;
      sum[2] += slope;
      sum[3] += slope * slope;
    }
  }
  ++states_;
}

Metric MetricEstimate::estimate() const {
  Metric result = start_;
  const auto n = static_cast<double>(states_ * group_);
  const double weight = n / (n + kStartWeight);
  for (std::int64_t b = 0; b < start_.inverse_mass.rows(); ++b) {
    for (std::int64_t d = 0; d < origin_.columns(); ++d) {
      const double* sum = &sums_[static_cast<std::size_t>((b / group_ * origin_.columns() + d) * 4)];
      const double positions = sum[1] - sum[0] * sum[0] / n;
      const double slopes = sum[3] - sum[2] * sum[2] / n;
      const double ratio = std::sqrt(positions / slopes);
      if (n >= 2.0 && std::isfinite(ratio) && ratio > 0.0) {
        const double start = start_.inverse_mass(b, d);
        result.inverse_mass(b, d) = static_cast<float>(start * std::pow(ratio / start, weight));
      }
    }
  }
  return result;
}

}  // namespace vaeguard::mcmc
