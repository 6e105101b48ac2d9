// Order statistics and the binomial distribution of their ranks.
#include "vaeguard/metrics/quantile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "vaeguard/base/distributions.h"
#include "vaeguard/base/error.h"

namespace vaeguard::metrics {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kTail = 0.025;

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
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(n)));
  Quantile result{sorted[std::max<std::size_t>(rank, 1) - 1],
                  {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()},
                  n};
  // K values lie below the true quantile. It is below the l-th smallest (from 1) where K < l, above the u-th where
  // K >= u: the greatest l and the least u for which that is rare.
  for (std::int64_t l = 1; l <= n && binomial_at_most(l - 1, n, share) <= kTail; ++l) {
    result.interval.low = sorted[static_cast<std::size_t>(l - 1)];
  }
  for (std::int64_t u = n; u >= 1 && binomial_above(u - 1, n, share) <= kTail; --u) {
    result.interval.high = sorted[static_cast<std::size_t>(u - 1)];
  }
  return result;
}

}  // namespace vaeguard::metrics
