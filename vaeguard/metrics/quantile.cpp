// Order statistics and the binomial distribution of their ranks.
#include "vaeguard/metrics/quantile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard::metrics {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kTail = 0.025;

/// P(K <= k) for k = 0 .. n, K binomial.
std::vector<double> binomial_distribution(std::int64_t n, double share) {
  std::vector<double> result;
  double sum = 0.0;
  const auto trials = static_cast<double>(n);
  for (std::int64_t successes = 0; successes <= n; ++successes) {
    const auto k = static_cast<double>(successes);
    sum += std::exp(std::lgamma(trials + 1.0) - std::lgamma(k + 1.0) - std::lgamma(trials - k + 1.0) +
                    k * std::log(share) + (trials - k) * std::log1p(-share));
    result.push_back(sum);
  }
  return result;
}

}  // namespace

Quantile quantile(std::span<const double> values, double share) {
  if (!(share > 0.0 && share < 1.0)) {
    misuse("metrics.quantile", "share must be in (0, 1), got {}", share);
  }
  const auto n = static_cast<std::int64_t>(values.size());
  if (n == 0 || std::ranges::any_of(values, [](double value) { return std::isnan(value); })) {
    return {kUnknown, {kUnknown, kUnknown}, n};
  }
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const std::vector<double> at_most = binomial_distribution(n, share);
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(n)));
  Quantile result{sorted[std::max<std::size_t>(rank, 1) - 1],
                  {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()},
                  n};
  // K values lie below the true quantile. It is below the l-th smallest (from 1) where K < l, above the u-th where
  // K >= u: the greatest l and the least u for which that is rare.
  for (std::size_t l = 1; l <= sorted.size() && at_most[l - 1] <= kTail; ++l) {
    result.interval.low = sorted[l - 1];
  }
  for (std::size_t u = sorted.size(); u >= 1 && 1.0 - at_most[u - 1] <= kTail; --u) {
    result.interval.high = sorted[u - 1];
  }
  return result;
}

}  // namespace vaeguard::metrics
