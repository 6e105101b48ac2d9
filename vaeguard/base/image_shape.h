// The shape of an image or feature map: channels x height x width, stored in that order.
#pragma once

#include <cstdint>

namespace vaeguard {

struct ImageShape {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;

  [[nodiscard]] std::int64_t positions() const { return height * width; }
  [[nodiscard]] std::int64_t size() const { return channels * height * width; }
  friend bool operator==(const ImageShape&, const ImageShape&) = default;
};

}  // namespace vaeguard
