// Images, with labels where there are some, and where they came from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/base/matrix.h"

namespace vaeguard::data {

/// N images with pixels in [0, 1], each of one class if the data set has classes.
struct Images {
  Matrix pixels;                     // [N, C*H*W]
  std::vector<std::int64_t> labels;  // [N], 0 .. classes - 1; empty without classes
};

/// A data set in its three deterministic parts.
struct Dataset {
  std::string name;  // "mnist", "synthetic"
  ImageShape shape;
  std::int64_t classes = 0;  // 0: the images have no labels
  std::string digest;        // of the files it was read from, recorded with everything made of it
  Images train;
  Images validation;
  Images test;

  [[nodiscard]] bool labelled() const { return classes > 0; }
};

/// Copies the images at these indices, with their labels if they have any.
Images gather(const Images& images, std::span<const std::int64_t> indices);

}  // namespace vaeguard::data
