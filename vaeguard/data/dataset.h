// Images with labels, and where they came from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/base/matrix.h"

namespace vaeguard::data {

/// N images with pixels in [0, 1] and one class each.
struct Images {
  Matrix pixels;                     // [N, C*H*W]
  std::vector<std::int64_t> labels;  // [N], 0 .. classes - 1
};

/// A data set in its three deterministic parts.
struct Dataset {
  std::string name;  // "mnist", "synthetic"
  ImageShape shape;
  std::int64_t classes = 0;
  std::string digest;  // of the files it was read from, recorded with everything made of it
  Images train;
  Images validation;
  Images test;
};

/// Copies the named images.
Images gather(const Images& images, std::span<const std::int64_t> indices);

}  // namespace vaeguard::data
