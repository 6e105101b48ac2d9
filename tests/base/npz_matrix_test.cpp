// Images in arrays: shapes kept, shapes accepted, and messages that name both.
#include "vaeguard/base/npz_matrix.h"

#include <limits>

#include "tests/expect_misuse.h"

namespace vaeguard {
namespace {

constexpr ImageShape kShape{3, 2, 5};

Matrix two_images() {
  Matrix images(2, kShape.size());
  for (std::size_t i = 0; i < images.flat().size(); ++i) {
    images.flat()[i] = static_cast<float>(i);
  }
  return images;
}

TEST(NpzMatrix, ImagesKeepTheirShape) {
  const NpzArray array = images_array(two_images(), kShape);
  EXPECT_EQ(array.shape, (std::vector<std::int64_t>{2, 3, 2, 5}));
  EXPECT_EQ(images_from({{"x", array}}, "x", kShape, "file"), two_images());
  expect_misuse([] { images_array(Matrix(2, 7), kShape); }, {"[any, 30], got [2, 7]"});
}

TEST(NpzMatrix, WritesRowsOfAViewWithoutItsPadding) {
  const Matrix images = two_images();
  const NpzArray array = rows_array({images.data(), 2, 4, kShape.size()});
  EXPECT_EQ(array.shape, (std::vector<std::int64_t>{2, 4}));
  EXPECT_EQ(std::get<std::vector<float>>(array.values), (std::vector<float>{0, 1, 2, 3, 30, 31, 32, 33}));
}

TEST(NpzMatrix, TakesFlatImagesAndGreyOnesWithoutAChannel) {
  EXPECT_EQ(images_from({{"x", rows_array(two_images())}}, "x", kShape, "file"), two_images());
  const NpzArray grey{{1, 2, 2}, std::vector<float>{1, 2, 3, 4}};
  EXPECT_EQ(images_from({{"x", grey}}, "x", {1, 2, 2}, "file"), Matrix(1, 4, {1, 2, 3, 4}));
}

TEST(NpzMatrix, NamesWhatItExpectedAndWhatItFound) {
  const NpzArrays arrays{{"a", images_array(two_images(), kShape)}, {"b", {{2}, std::vector<std::int64_t>{1, 2}}}};
  expect_misuse([&] { images_from(arrays, "x", kShape, "file"); }, {"[file] must have an array 'x', it has a, b"});
  expect_misuse([&] { images_from(arrays, "b", kShape, "file"); }, {"'b' must be float32"});
  // As many values, another shape: 5 wide and 2 high is not 2 wide and 5 high.
  expect_misuse(
      [&] {
        images_from(arrays, "a", {3, 5, 2}, "file");
      },
      {"images [any, 3, 5, 2] or flat [any, 30], got [2, 3, 2, 5]"});
  const NpzArray wild{{1, 4}, std::vector<float>{0, 0, std::numeric_limits<float>::quiet_NaN(), 0}};
  expect_misuse([&] { images_from({{"x", wild}}, "x", {1, 2, 2}, "file"); }, {"row 0, column 2"});
}

}  // namespace
}  // namespace vaeguard
