// Decoding and resizing by stb.
#include "vaeguard/data/image_file.h"

#include <stb_image.h>
#include <stb_image_resize.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"

namespace vaeguard::data {

Picture read_picture(const std::filesystem::path& file, std::int64_t channels) {
  const std::string bytes = read_file(file);
  int width = 0;
  int height = 0;
  int found = 0;
  const std::unique_ptr<stbi_uc, decltype(&stbi_image_free)> decoded(
      stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()), static_cast<int>(bytes.size()), &width,
                            &height, &found, static_cast<int>(channels)),
      &stbi_image_free);
  if (decoded == nullptr) {
    misuse("data.image_file", "{} must be a PNG or JPEG picture: {}", file.string(), stbi_failure_reason());
  }
  Picture picture{width, height, channels, {}};
  std::transform(decoded.get(), decoded.get() + picture.width * picture.height * channels,
                 std::back_inserter(picture.values), [](stbi_uc level) { return static_cast<float>(level) / 255.0F; });
  return picture;
}

Box middle_box(std::int64_t width, std::int64_t height, ImageShape shape) {
  const bool wide = width * shape.height > height * shape.width;
  Box box{0, 0, wide ? std::max<std::int64_t>(1, height * shape.width / shape.height) : width,
          wide ? height : std::max<std::int64_t>(1, width * shape.height / shape.width)};
  box.x = (width - box.width) / 2;
  box.y = (height - box.height) / 2;
  return box;
}

void fit_picture(const Picture& picture, const Box& box, ImageShape shape, std::string_view place,
                 std::span<float> pixels) {
  if (box.width < 1 || box.height < 1 || box.x < 0 || box.y < 0 || box.x + box.width > picture.width ||
      box.y + box.height > picture.height) {
    misuse(place, "the box {} x {} at ({}, {}) must lie in the picture, which has {} x {} pixels", box.width,
           box.height, box.x, box.y, picture.width, picture.height);
  }
  const auto channels = static_cast<int>(picture.channels);
  const auto row = static_cast<int>(picture.width * picture.channels * static_cast<std::int64_t>(sizeof(float)));
  const float* corner = picture.values.data() + (box.y * picture.width + box.x) * picture.channels;
  std::vector<float> resized(static_cast<std::size_t>(shape.positions() * picture.channels));
  const int done = stbir_resize_float_generic(
      corner, static_cast<int>(box.width), static_cast<int>(box.height), row, resized.data(),
      static_cast<int>(shape.width), static_cast<int>(shape.height), 0, channels, STBIR_ALPHA_CHANNEL_NONE, 0,
      STBIR_EDGE_CLAMP, STBIR_FILTER_TRIANGLE, STBIR_COLORSPACE_LINEAR, nullptr);
  if (done == 0) {
    failure(place, "resizing to {} x {} failed", shape.width, shape.height);
  }
  for (std::int64_t c = 0; c < picture.channels; ++c) {
    for (std::int64_t p = 0; p < shape.positions(); ++p) {
      const float value = resized[static_cast<std::size_t>(p * picture.channels + c)];
      pixels[static_cast<std::size_t>(c * shape.positions() + p)] = std::clamp(value, 0.0F, 1.0F);
    }
  }
}

}  // namespace vaeguard::data
