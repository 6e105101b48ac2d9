// Multi-scale structural similarity of image pairs, in the paper's form and in Wang's of 2003.
#pragma once

#include <vector>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/base/matrix_view.h"

namespace vaeguard::metrics {

/// MS-SSIM as the paper's numbers were computed, for each pair of rows of a and b, [B, C*H*W]. It differs from Wang's:
///   - the window has an even size, 14, with its Gaussian (sigma 1.5) centred at index 7, so it is off
///     centre to the lower right; it shrinks to images that are smaller;
///   - the luminance of the last level is multiplied in once for every other level: its exponent is 4 * 0.1333;
///   - levels are halved by 2 x 2 means that drop an odd edge (28, 14, 7, 3, 1): the fifth compares image means;
///   - the value range is guessed from `a` at every level: 1 - 0, or 255 above 128, or -1 below -0.5. Outside
///     [0, 1] the result therefore depends on the order of a and b.
/// Negative terms count as 0. Throws Misuse for images under 16 pixels, which have no fifth level.
std::vector<double> ms_ssim_kuzina22(const MatrixView& a, const MatrixView& b, ImageShape shape);

/// MS-SSIM as Wang, Simoncelli and Bovik define it ("Multi-scale structural similarity for image quality assessment",
/// 2003), for each pair of rows of a and b with values in [0, 1], [B, C*H*W]: Gaussian window of 11 pixels, sigma 1.5,
/// K1 = 0.01, K2 = 0.03; contrast and structure at every level, luminance at the last; levels are halved by 2 x 2 means
/// with an odd edge mirrored (28, 14, 7, 4, 2). For small images the window shrinks to the image, symmetrically; levels
/// end at the first of one pixel, and the weights in use are scaled to sum to 1. Negative terms count as 0.
std::vector<double> ms_ssim_wang03(const MatrixView& a, const MatrixView& b, ImageShape shape);

}  // namespace vaeguard::metrics
