// Student's t and Wilson intervals of means over references.
#include "vaeguard/metrics/intervals.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "vaeguard/base/distributions.h"
#include "vaeguard/base/error.h"

namespace vaeguard::metrics {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kUpper = 0.975;  // probability below the upper end of an interval of 95 %

/// The number of independent trials with this standard error of a proportion. Averaging restarts makes a reference
/// count for more than one trial, never for less; a standard error of zero says nothing about the next reference, so n
/// stays.
double effective_trials(const Estimate& estimate) {
  const auto n = static_cast<double>(estimate.n);
  if (!(estimate.standard_error > 0.0)) {
    return n;
  }
  return std::max(n, estimate.value * (1.0 - estimate.value) / (estimate.standard_error * estimate.standard_error));
}

Interval wilson(double proportion, double trials) {
  const double z = normal_quantile(kUpper);
  const double z2 = z * z;
  const double centre = (proportion + z2 / (2.0 * trials)) / (1.0 + z2 / trials);
  const double half =
      z / (1.0 + z2 / trials) * std::sqrt(proportion * (1.0 - proportion) / trials + z2 / (4.0 * trials * trials));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

double count_restarts(std::span<const double> restarts, Restarts counted, bool higher_is_better) {
  double sum = 0.0;
  for (const double value : restarts) {
    sum += value;  // NaN stays NaN, which the order statistics below would lose
  }
  if (counted == Restarts::mean || std::isnan(sum)) {
    return sum / static_cast<double>(restarts.size());
  }
  return higher_is_better ? *std::ranges::min_element(restarts) : *std::ranges::max_element(restarts);
}

}  // namespace

Estimate estimate_by_reference(std::span<const double> values, std::int64_t restarts, Restarts counted,
                               bool higher_is_better) {
  const auto total = static_cast<std::int64_t>(values.size());
  if (restarts < 1 || total % restarts != 0) {
    misuse("metrics.intervals",
           "values must number references * restarts with restarts >= 1, got {} values and {} restarts", total,
           restarts);
  }
  const std::int64_t n = total / restarts;
  if (n == 0) {
    return {kUnknown, kUnknown, 0};
  }
  std::vector<double> by_reference;
  by_reference.reserve(static_cast<std::size_t>(n));
  double sum = 0.0;
  for (std::int64_t i = 0; i < n; ++i) {
    by_reference.push_back(
        count_restarts(values.subspan(static_cast<std::size_t>(i * restarts), static_cast<std::size_t>(restarts)),
                       counted, higher_is_better));
    sum += by_reference.back();
  }
  const double mean = sum / static_cast<double>(n);
  double squares = 0.0;
  for (const double value : by_reference) {
    squares += (value - mean) * (value - mean);
  }
  // A single reference has no spread to estimate: its standard error is 0 / 0.
  const double variance = squares / static_cast<double>(n - 1);
  return {mean, std::sqrt(variance / static_cast<double>(n)), n};
}

Interval interval95(const Estimate& estimate, bool proportion) {
  if (estimate.n < 1 || std::isnan(estimate.value)) {
    return {kUnknown, kUnknown};
  }
  if (proportion) {
    return wilson(std::clamp(estimate.value, 0.0, 1.0), effective_trials(estimate));
  }
  if (estimate.n < 2) {
    return {kUnknown, kUnknown};
  }
  const double half = student_quantile(kUpper, static_cast<double>(estimate.n - 1)) * estimate.standard_error;
  return {estimate.value - half, estimate.value + half};
}

}  // namespace vaeguard::metrics
