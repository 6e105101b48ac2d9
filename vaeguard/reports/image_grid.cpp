// Paints images into one picture.
#include "vaeguard/reports/image_grid.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "vaeguard/base/error.h"

namespace vaeguard::reports {
namespace {

std::array<std::uint8_t, 4> colour_of(std::span<const float> image, ImageShape shape, std::int64_t position) {
  std::array<std::uint8_t, 4> colour = {0, 0, 0, 255};
  for (std::int64_t c = 0; c < 3; ++c) {
    const std::int64_t channel = shape.channels == 1 ? 0 : c;
    const float value = image[static_cast<std::size_t>(channel * shape.positions() + position)];
    if (std::isnan(value)) {
      return {255, 0, 255, 255};
    }
    colour[static_cast<std::size_t>(c)] =
        static_cast<std::uint8_t>(std::lround(255.0F * std::clamp(value, 0.0F, 1.0F)));
  }
  return colour;
}

void paint(PngImage& picture, std::span<const float> image, ImageShape shape, std::int64_t left, std::int64_t top,
           std::int64_t scale) {
  for (std::int64_t y = 0; y < shape.height * scale; ++y) {
    for (std::int64_t x = 0; x < shape.width * scale; ++x) {
      const auto colour = colour_of(image, shape, y / scale * shape.width + x / scale);
      std::ranges::copy(colour, picture.rgba.begin() + ((top + y) * picture.width + left + x) * 4);
    }
  }
}

}  // namespace

PngImage image_grid(const std::vector<Matrix>& rows, ImageShape shape, std::int64_t scale, std::int64_t gap) {
  if (shape.channels != 1 && shape.channels != 3) {
    misuse("reports.image_grid", "images must have 1 or 3 channels, got {}", shape.channels);
  }
  std::int64_t columns = 0;
  for (const Matrix& row : rows) {
    check_shape("reports.image_grid", "images", row, -1, shape.size());
    columns = std::max(columns, row.rows());
  }
  const auto count = static_cast<std::int64_t>(rows.size());
  if (columns == 0) {
    misuse("reports.image_grid", "a grid needs at least one image, got {} empty rows", count);
  }
  PngImage picture((columns * (shape.width + gap) - gap) * scale, (count * (shape.height + gap) - gap) * scale);
  for (std::int64_t row = 0; row < count; ++row) {
    const Matrix& images = rows[static_cast<std::size_t>(row)];
    for (std::int64_t i = 0; i < images.rows(); ++i) {
      paint(picture, images.row(i), shape, i * (shape.width + gap) * scale, row * (shape.height + gap) * scale, scale);
    }
  }
  return picture;
}

}  // namespace vaeguard::reports
