// Pixelwise distances between images.
#pragma once

#include <vector>

#include "vaeguard/base/matrix.h"

namespace vaeguard::metrics {

/// Mean over pixels of (255 a - 255 b)^2 for each pair of rows of a and b, [B, pixels] with values in [0, 1].
std::vector<double> mse255(const Matrix& a, const Matrix& b);

}  // namespace vaeguard::metrics
