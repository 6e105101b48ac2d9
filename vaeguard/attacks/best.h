// The best point that an optimiser has seen for each image.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"

namespace vaeguard::attacks {

/// Keeps the point with the largest value of each row; values that are not finite never count.
class Best {
 public:
  /// `start` [n, P] is kept until there is a finite value.
  explicit Best(const Matrix& start);

  /// Takes points and values of these rows; returns the rows that improved, in order.
  std::vector<std::int64_t> observe(std::span<const std::int64_t> rows, const Matrix& points,
                                    std::span<const double> values);
  /// The rows whose best value does not exceed `enough`, in order.
  [[nodiscard]] std::vector<std::int64_t> unfinished(double enough) const;
  [[nodiscard]] const Matrix& points() const { return points_; }
  [[nodiscard]] const std::vector<double>& values() const { return values_; }
  [[nodiscard]] Matrix take() && { return std::move(points_); }

 private:
  Matrix points_;
  std::vector<double> values_;
};

}  // namespace vaeguard::attacks
