// Comparison of finite values, row by row.
#include "vaeguard/attacks/best.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vaeguard::attacks {

Best::Best(const Matrix& start)
    : points_(start), values_(static_cast<std::size_t>(start.rows()), -std::numeric_limits<double>::infinity()) {}

std::vector<std::int64_t> Best::observe(std::span<const std::int64_t> rows, const Matrix& points,
                                        std::span<const double> values) {
  std::vector<std::int64_t> improved;
  for (const std::int64_t row : rows) {
    const double value = values[static_cast<std::size_t>(row)];
    double& best = values_[static_cast<std::size_t>(row)];
    if (std::isfinite(value) && value > best) {
      best = value;
      std::ranges::copy(points.row(row), points_.row(row).begin());
      improved.push_back(row);
    }
  }
  return improved;
}

std::vector<std::int64_t> Best::unfinished(double enough) const {
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (!(values_[i] > enough)) {
      rows.push_back(static_cast<std::int64_t>(i));
    }
  }
  return rows;
}

}  // namespace vaeguard::attacks
