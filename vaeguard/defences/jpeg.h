// JPEG compression and decompression of one image in memory.
#pragma once

#include <span>

#include "vaeguard/base/image_shape.h"

namespace vaeguard::defences {

/// Writes `image` [C*H*W], C 1 (grey) or 3 (red, green, blue), as a baseline JPEG and reads it back into `result`.
/// Pixels are brought to [0, 1] and rounded to 255ths; colour goes through YCbCr at half resolution of the chroma, the
/// habit of JPEG files (4:2:0). The accurate integer transform is used, which gives the same bits on all machines that
/// run one version of libjpeg-turbo. Throws Misuse for a quality outside 1 .. 100, other channels, and sides that are
/// too long or sizes that do not agree, Failure with the library's own words where it refuses the image.
void jpeg_round_trip(int quality, ImageShape shape, std::span<const float> image, std::span<float> result);

}  // namespace vaeguard::defences
