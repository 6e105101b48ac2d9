// Pictures: pixels painted where they belong, and PNG bytes that a reader gives back.
#include "vaeguard/reports/image_grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include <array>
#include <limits>

#include "vaeguard/base/error.h"

namespace vaeguard::reports {
namespace {

using Pixel = std::array<int, 4>;

Pixel pixel(const PngImage& image, std::int64_t x, std::int64_t y) {
  const auto at = static_cast<std::size_t>((y * image.width + x) * 4);
  return {image.rgba[at], image.rgba[at + 1], image.rgba[at + 2], image.rgba[at + 3]};
}

TEST(ImageGrid, PaintsGreyImagesSideBySideWithTransparentGaps) {
  const Matrix images(2, 2, std::vector<float>{0.0F, 1.0F, 0.5F, 2.0F});  // two images of 1 x 2 pixels
  const PngImage grid = image_grid({images, images.slice(0, 1)}, {1, 1, 2}, 3, 1);
  EXPECT_EQ(grid.width, (2 + 1 + 2) * 3);
  EXPECT_EQ(grid.height, (1 + 1 + 1) * 3);
  EXPECT_EQ(pixel(grid, 2, 2), (Pixel{0, 0, 0, 255}));
  EXPECT_EQ(pixel(grid, 3, 0), (Pixel{255, 255, 255, 255}));
  EXPECT_EQ(pixel(grid, 6, 0), (Pixel{0, 0, 0, 0}));           // the gap
  EXPECT_EQ(pixel(grid, 9, 0), (Pixel{128, 128, 128, 255}));   // 0.5 * 255 rounds up
  EXPECT_EQ(pixel(grid, 14, 0), (Pixel{255, 255, 255, 255}));  // clipped
  EXPECT_EQ(pixel(grid, 3, 6), (Pixel{255, 255, 255, 255}));   // second row
  EXPECT_EQ(pixel(grid, 9, 6), (Pixel{0, 0, 0, 0}));           // no second image there
}

TEST(ImageGrid, PaintsColourFromPlanesAndNanMagenta) {
  const Matrix image(1, 6, std::vector<float>{1.0F, 0.0F, 0.0F, std::numeric_limits<float>::quiet_NaN(), 0.2F, 0.0F});
  const PngImage grid = image_grid({image}, {3, 1, 2}, 1, 0);
  EXPECT_EQ(pixel(grid, 0, 0), (Pixel{255, 0, 51, 255}));
  EXPECT_EQ(pixel(grid, 1, 0), (Pixel{255, 0, 255, 255}));
}

TEST(ImageGrid, RefusesWhatItCannotPaint) {
  EXPECT_THROW(image_grid({}, {1, 2, 2}, 1, 1), Misuse);
  EXPECT_THROW(image_grid({Matrix(1, 5)}, {1, 2, 2}, 1, 1), Misuse);
  EXPECT_THROW(image_grid({Matrix(1, 8)}, {2, 2, 2}, 1, 1), Misuse);
}

TEST(PngImage, IsReadBackByLibpng) {
  const Matrix image(1, 6, std::vector<float>{0.0F, 0.2F, 0.4F, 0.6F, 0.8F, 1.0F});
  const PngImage grid = image_grid({image}, {1, 2, 3}, 2, 0);
  const std::string bytes = encode_png(grid, "Rows from top: ∞ & <b>.");
  EXPECT_THAT(bytes, testing::HasSubstr("Rows from top: ∞ & <b>."));
  png_image reader{};
  reader.version = PNG_IMAGE_VERSION;
  ASSERT_NE(png_image_begin_read_from_memory(&reader, bytes.data(), bytes.size()), 0) << reader.message;
  reader.format = PNG_FORMAT_RGBA;
  std::vector<std::uint8_t> found(PNG_IMAGE_SIZE(reader));
  ASSERT_NE(png_image_finish_read(&reader, nullptr, found.data(), 0, nullptr), 0) << reader.message;
  EXPECT_EQ(found, grid.rgba);
}

}  // namespace
}  // namespace vaeguard::reports
