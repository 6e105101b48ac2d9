// Linear interpolation between order statistics.
#include "vaeguard/base/quantile.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace vaeguard {

double sorted_quantile(std::span<const double> sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace vaeguard
