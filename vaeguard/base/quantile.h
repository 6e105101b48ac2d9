// Quantiles of samples.
#pragma once

#include <span>

namespace vaeguard {

/// The quantile at `share`, in [0, 1], of at least one value in rising order, linear between the neighbouring order
/// statistics (type 7 of Hyndman and Fan 1996).
double sorted_quantile(std::span<const double> sorted, double share);

}  // namespace vaeguard
