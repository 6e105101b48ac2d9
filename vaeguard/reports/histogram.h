// Histograms over shared bins, so that distributions can be overlaid.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vaeguard::reports {

struct Bins {
  std::vector<double> edges;  // ascending, one more than there are bins
  bool clipped = false;       // some values lie outside and are counted in the outermost bins
};

/// Edges for `count` bins over the finite values, of equal width, or of equal ratio if `logarithmic`, which leaves out
/// values that are not positive. If outliers would stretch the range more than threefold, it is the central 99 %.
/// Without usable values there are no edges.
Bins shared_bins(std::vector<double> values, std::int64_t count, bool logarithmic);

/// How many values fall into each bin; NaN and infinities are left out.
std::vector<std::int64_t> count_in_bins(std::span<const double> values, const Bins& bins);

/// The q-quantile of the finite values, linear between neighbours; NaN if there are none.
double quantile(std::vector<double> values, double q);

}  // namespace vaeguard::reports
