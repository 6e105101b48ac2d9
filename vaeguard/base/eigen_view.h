// A matrix as Eigen sees it; for the sources of the library only.
#pragma once

#include <Eigen/Core>

#include "vaeguard/base/matrix.h"

namespace vaeguard {

/// The numbers of `matrix` themselves, [rows, columns]; valid while it lives and keeps its shape.
inline Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> eigen_view(
    const Matrix& matrix) {
  return {matrix.data(), matrix.rows(), matrix.columns()};
}

}  // namespace vaeguard
