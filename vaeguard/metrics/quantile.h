// Quantiles of censored values (some are only known to exceed a limit), with distribution-free intervals.
#pragma once

#include <cstdint>
#include <span>

#include "vaeguard/metrics/intervals.h"

namespace vaeguard::metrics {

struct Quantile {
  double value = 0.0;
  Interval interval;  // at least 95 %
  std::int64_t n = 0;
};

/// The least of `values` that at least a share `share` of them, in (0, 1), do not exceed. +infinity stands for values
/// beyond the limit, and is the answer if so many are. The interval lies between order statistics: the number of values
/// below the true quantile is binomial, whatever their distribution. With few values it is open at an end, to infinity.
/// All NaN if a value is NaN or there are none. Throws Misuse for another share.
Quantile quantile(std::span<const double> values, double share);

}  // namespace vaeguard::metrics
