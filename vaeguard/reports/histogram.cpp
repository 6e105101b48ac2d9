// The range of the bins: that of all values, or of the central ones if outliers would stretch it.
#include "vaeguard/reports/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "vaeguard/base/quantile.h"

namespace vaeguard::reports {
namespace {

constexpr double kStretch = 3.0;

}  // namespace

double quantile(std::vector<double> values, double q) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  std::ranges::sort(values);
  return sorted_quantile(values, q);
}

Bins shared_bins(std::vector<double> values, std::int64_t count, bool logarithmic) {
  std::erase_if(values, [&](double value) { return !std::isfinite(value) || (logarithmic && value <= 0.0); });
  if (values.empty() || count < 1) {
    return {};
  }
  std::ranges::sort(values);
  if (logarithmic) {
    std::ranges::transform(values, values.begin(), [](double value) { return std::log(value); });
  }
  double low = values.front();
  double high = values.back();
  const double central_low = sorted_quantile(values, 0.005);
  const double central_high = sorted_quantile(values, 0.995);
  Bins bins;
  if (central_high > central_low && high - low > kStretch * (central_high - central_low)) {
    low = central_low;
    high = central_high;
    bins.clipped = true;
  }
  if (high <= low) {  // all values are equal: one bin's width around them
    const double room = low == 0.0 ? 0.5 : 0.05 * std::abs(low);
    low -= room;
    high += room;
  }
  for (std::int64_t i = 0; i <= count; ++i) {
    const double edge = low + (high - low) * static_cast<double>(i) / static_cast<double>(count);
    bins.edges.push_back(logarithmic ? std::exp(edge) : edge);
  }
  return bins;
}

std::vector<std::int64_t> count_in_bins(std::span<const double> values, const Bins& bins) {
  if (bins.edges.size() < 2) {
    return {};
  }
  std::vector<std::int64_t> counts(bins.edges.size() - 1);
  for (const double value : values) {
    if (std::isfinite(value)) {
      const auto above = std::ranges::upper_bound(bins.edges, value) - bins.edges.begin();
      ++counts[static_cast<std::size_t>(std::clamp<std::int64_t>(above - 1, 0, std::ssize(counts) - 1))];
    }
  }
  return counts;
}

}  // namespace vaeguard::reports
