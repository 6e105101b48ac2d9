// A matrix as an Eigen map; for the sources of the library only.
#pragma once

#include <Eigen/Core>

#include "vaeguard/base/matrix.h"

namespace vaeguard {

/// A view of `matrix` itself, [rows, columns], without a copy; valid while the matrix lives and keeps its shape.
inline Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> eigen_view(
    const Matrix& matrix) {
  return {matrix.data(), matrix.rows(), matrix.columns()};
}

}  // namespace vaeguard
