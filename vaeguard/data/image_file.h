// Pictures from PNG and JPEG files: decoded, cropped, resized.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "vaeguard/base/image_shape.h"

namespace vaeguard::data {

/// A rectangle of a picture in pixels; x runs to the right, y downwards.
struct Box {
  std::int64_t x = 0;
  std::int64_t y = 0;
  std::int64_t width = 0;
  std::int64_t height = 0;
  friend bool operator==(const Box&, const Box&) = default;
};

/// A decoded picture, values in [0, 1], stored [row, column, channel].
struct Picture {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::int64_t channels = 0;
  std::vector<float> values;
};

/// Decodes a PNG or JPEG into 1 channel (its luma) or 3 (red, green, blue); transparency is dropped. Throws Misuse that
/// names the file and the decoder's reason if it cannot be read.
Picture read_picture(const std::filesystem::path& file, std::int64_t channels);

/// The largest centred box, in a picture of that size, with the aspect ratio of `shape`.
Box middle_box(std::int64_t width, std::int64_t height, ImageShape shape);

/// Writes the box of the picture, resized to `shape`, as [channel, row, column]. Bilinear; when shrinking, the filter
/// grows accordingly, so that no pixel is skipped. Throws Misuse, with `place`, for a box that leaves the picture.
void fit_picture(const Picture& picture, const Box& box, ImageShape shape, std::string_view place,
                 std::span<float> pixels);

}  // namespace vaeguard::data
