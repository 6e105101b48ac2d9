// Student's t and Wilson intervals of means over references, from the exact t distribution at whole degrees of freedom.
#include "vaeguard/metrics/intervals.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard::metrics {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
// The 0.975 quantile of the standard normal.
constexpr double kNormal975 = 1.959963984540054;
// Beyond this many degrees of freedom the expansion in 1/nu is right to 1e-9 and the series would be long.
constexpr std::int64_t kSeriesLimit = 1000;

/// P(|T| < t) for whole `nu` >= 1: with tan(angle) = t / sqrt(nu) the t density integrates to a finite series in
/// cos(angle) (Abramowitz and Stegun 26.7.3 and 26.7.4).
double central_probability(double t, std::int64_t nu) {
  const double angle = std::atan(t / std::sqrt(static_cast<double>(nu)));
  const double cosine = std::cos(angle);
  const bool odd = nu % 2 == 1;
  double term = odd ? cosine : 1.0;
  double sum = 0.0;
  for (std::int64_t k = odd ? 1 : 0; k < nu - 1; k += 2) {
    sum += term;
    const auto next = static_cast<double>(k + 1);
    term *= cosine * cosine * next / (next + 1.0);
  }
  sum *= std::sin(angle);
  return odd ? 2.0 / std::numbers::pi * (angle + sum) : sum;
}

/// The t with P(|T| < t) = 0.95.
double student_t975(std::int64_t nu) {
  const double z = kNormal975;
  if (nu > kSeriesLimit) {
    const auto n = static_cast<double>(nu);
    // Cornish-Fisher (Abramowitz and Stegun 26.7.5).
    return z + (std::pow(z, 3) + z) / (4.0 * n) +
           (5.0 * std::pow(z, 5) + 16.0 * std::pow(z, 3) + 3.0 * z) / (96.0 * n * n);
  }
  // The quantile falls from 12.7 at nu = 1 to the normal's; halving the bracket 60 times reaches the last digit.
  double low = z;
  double high = 13.0;
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = 0.5 * (low + high);
    (central_probability(middle, nu) < 0.95 ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

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
  const double z2 = kNormal975 * kNormal975;
  const double centre = (proportion + z2 / (2.0 * trials)) / (1.0 + z2 / trials);
  const double half = kNormal975 / (1.0 + z2 / trials) *
                      std::sqrt(proportion * (1.0 - proportion) / trials + z2 / (4.0 * trials * trials));
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
  const double half = student_t975(estimate.n - 1) * estimate.standard_error;
  return {estimate.value - half, estimate.value + half};
}

}  // namespace vaeguard::metrics
