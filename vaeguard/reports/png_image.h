// A picture of 8-bit RGBA pixels, written as PNG.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vaeguard::reports {

struct PngImage {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::vector<std::uint8_t> rgba;  // [height, width, 4], transparent where nothing was painted

  PngImage(std::int64_t image_width, std::int64_t image_height)
      : width(image_width), height(image_height), rgba(static_cast<std::size_t>(image_width * image_height * 4)) {}
};

/// The bytes of a PNG file; `description` is stored inside it as text. Throws Failure if libpng does.
std::string encode_png(const PngImage& image, const std::string& description);

}  // namespace vaeguard::reports
