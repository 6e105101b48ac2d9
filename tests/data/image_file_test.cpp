// Decoding, cropping and resizing of pictures.
#include "vaeguard/data/image_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "tests/data/pictures.h"
#include "tests/expect_misuse.h"

namespace vaeguard::data {
namespace {

/// Level 10 (row + 3 column + channel) of each value.
Levels ramp(int width, int height, int channels) {
  Levels levels{width, height, channels, {}};
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      for (int c = 0; c < channels; ++c) {
        levels.values.push_back(static_cast<std::uint8_t>(10 * (row + 3 * column + c)));
      }
    }
  }
  return levels;
}

TEST(ImageFile, ReadsEveryLevelOfAPng) {
  const auto file = fresh_pictures("png") / "ramp.png";
  write_picture(file, ramp(4, 3, 3));
  const Picture picture = read_picture(file, 3);
  EXPECT_EQ(picture.width, 4);
  EXPECT_EQ(picture.height, 3);
  const Levels expected = ramp(4, 3, 3);
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    EXPECT_FLOAT_EQ(picture.values[i], static_cast<float>(expected.values[i]) / 255.0F) << i;
  }
}

TEST(ImageFile, ReadsAJpegOfOneLevelToWithinItsRounding) {
  const auto file = fresh_pictures("jpeg") / "flat.jpg";
  write_picture(file, flat(16, 8, 3, 100));
  for (const float value : read_picture(file, 1).values) {
    EXPECT_NEAR(value, 100.0F / 255.0F, 1.5F / 255.0F);
  }
}

TEST(ImageFile, NamesAFileThatIsNoPictureAndOneThatIsCutShort) {
  const auto folder = fresh_pictures("broken");
  std::ofstream(folder / "text.png") << "no picture";
  expect_misuse([&] { static_cast<void>(read_picture(folder / "text.png", 3)); },
                {"text.png must be a PNG or JPEG picture"});
  write_picture(folder / "whole.png", ramp(20, 20, 3));
  std::filesystem::resize_file(folder / "whole.png", std::filesystem::file_size(folder / "whole.png") / 2);
  expect_misuse([&] { static_cast<void>(read_picture(folder / "whole.png", 3)); },
                {"whole.png must be a PNG or JPEG picture"});
}

TEST(ImageFile, TheMiddleBoxHasTheShapesSides) {
  EXPECT_EQ(middle_box(178, 218, {3, 64, 64}), (Box{0, 20, 178, 178}));
  EXPECT_EQ(middle_box(20, 10, {1, 5, 5}), (Box{5, 0, 10, 10}));
  EXPECT_EQ(middle_box(8, 4, {1, 2, 4}), (Box{0, 0, 8, 4}));
}

TEST(ImageFile, ABoxOfTheShapesSizeIsCopiedChannelByChannel) {
  const auto file = fresh_pictures("copy") / "ramp.png";
  write_picture(file, ramp(5, 4, 3));
  std::vector<float> pixels(3 * 2 * 3);
  fit_picture(read_picture(file, 3), {1, 2, 3, 2}, {3, 2, 3}, "test", pixels);
  for (int c = 0; c < 3; ++c) {
    for (int row = 0; row < 2; ++row) {
      for (int column = 0; column < 3; ++column) {
        const auto at = static_cast<std::size_t>((c * 2 + row) * 3 + column);
        EXPECT_NEAR(pixels[at], static_cast<float>(10 * (row + 2 + 3 * (column + 1) + c)) / 255.0F, 1e-6) << at;
      }
    }
  }
}

TEST(ImageFile, ShrinkingKeepsTheMeanSinceNoPixelIsSkipped) {
  Picture stripes{12, 12, 1, {}};
  for (int i = 0; i < 144; ++i) {
    stripes.values.push_back(i % 2 == 0 ? 1.0F : 0.0F);  // columns of 1 and 0 in turn
  }
  std::vector<float> pixels(9);
  fit_picture(stripes, {0, 0, 12, 12}, {1, 3, 3}, "test", pixels);
  for (const float pixel : pixels) {
    EXPECT_NEAR(pixel, 0.5F, 0.1F);  // point sampling would give 0 or 1; the border's columns weigh a little more
  }
}

TEST(ImageFile, RefusesABoxOutsideThePicture) {
  const Picture picture{4, 4, 1, std::vector<float>(16)};
  std::vector<float> pixels(4);
  expect_misuse(
      [&] {
        fit_picture(picture, {2, 0, 3, 4}, {1, 2, 2}, "faces/1.png", pixels);
      },
      {"[faces/1.png] the box 3 x 4 at (2, 0) must lie in the picture, which has 4 x 4 pixels"});
}

}  // namespace
}  // namespace vaeguard::data
