// Images side by side: rows of small pictures with gaps, for galleries.
#pragma once

#include <vector>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/base/matrix.h"
#include "vaeguard/reports/png_image.h"

namespace vaeguard::reports {

/// Each matrix is one row of the grid: its rows are images [C, H, W] of grey (C = 1) or colour (C = 3) with values in
/// [0, 1]; values outside are clipped, NaN is magenta. Pixels become squares of `scale` pixels, images are `gap` image
/// pixels apart, and gaps are transparent.
PngImage image_grid(const std::vector<Matrix>& rows, ImageShape shape, std::int64_t scale, std::int64_t gap);

}  // namespace vaeguard::reports
