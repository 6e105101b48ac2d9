// Quantiles of values some of which are only known to be beyond a limit, with intervals that assume no distribution.
#pragma once

#include <cstdint>
#include <span>

#include "vaeguard/metrics/intervals.h"

namespace vaeguard::metrics {

struct Quantile {
  double value = 0.0;
  Interval interval;  // 95 % at least
  std::int64_t n = 0;
};

/// The least of `values` that at least a share `share` of them, in (0, 1), do not exceed; +infinity stands for values
/// beyond what was looked at, and is the answer where so many are. The interval lies between order statistics: the
/// number of values below the true quantile is binomial, whatever their distribution. Few values leave it open, to
/// infinity at that end. All NaN where a value is, or where there are none. Throws Misuse for another share.
Quantile quantile(std::span<const double> values, double share);

}  // namespace vaeguard::metrics
