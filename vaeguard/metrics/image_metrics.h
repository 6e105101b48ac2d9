// Pixelwise distances between images.
#pragma once

#include <vector>

#include "vaeguard/base/matrix_view.h"

namespace vaeguard::metrics {

/// Mean over pixels of (255 a - 255 b)^2 for each pair of rows of a and b, [B, pixels] with values in [0, 1].
std::vector<double> mse255(const MatrixView& a, const MatrixView& b);

}  // namespace vaeguard::metrics
