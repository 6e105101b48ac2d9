// Coloured digits: levels, balance, labels, and parts that share no digit.
#include "vaeguard/data/color_mnist.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

#include "tests/expect_misuse.h"
#include "vaeguard/data/synthetic.h"

namespace vaeguard::data {
namespace {

Dataset grey() { return synthetic({.train = 700, .validation = 70, .test = 140}, Key(4)); }

TEST(ColorMnist, HasTheGreyLevelInTheChannelsOfItsColourAndNothingElsewhere) {
  const Dataset source = grey();
  const Dataset found = color_dataset(source, ColorLabel::color, Key(1));
  EXPECT_EQ(found.shape, (ImageShape{3, 28, 28}));
  EXPECT_EQ(found.classes, 7);
  const std::map<std::string_view, std::vector<float>> rgb{
      {"blue", {0, 0, 1}},    {"green", {0, 1, 0}},  {"cyan", {0, 1, 1}}, {"red", {1, 0, 0}},
      {"magenta", {1, 0, 1}}, {"yellow", {1, 1, 0}}, {"white", {1, 1, 1}}};
  for (std::int64_t i = 0; i < 140; ++i) {
    const auto& channels =
        rgb.at(kColorNames[static_cast<std::size_t>(found.test.labels[static_cast<std::size_t>(i)])]);
    for (std::int64_t c = 0; c < 3; ++c) {
      for (std::int64_t p = 0; p < 784; ++p) {
        ASSERT_EQ(found.test.pixels(i, c * 784 + p), channels[static_cast<std::size_t>(c)] * source.test.pixels(i, p));
      }
    }
  }
}

TEST(ColorMnist, GivesEveryClassEveryColourEquallyOftenInEachPart) {
  const Dataset source = grey();
  const Dataset colors = color_dataset(source, ColorLabel::color, Key(1));
  std::map<std::int64_t, std::array<int, 7>> count;
  for (std::size_t i = 0; i < colors.train.labels.size(); ++i) {
    ++count[source.train.labels[i]][static_cast<std::size_t>(colors.train.labels[i])];
  }
  EXPECT_EQ(count.size(), 10U);
  for (const auto& [digit, images] : count) {
    const auto [least, most] = std::ranges::minmax(images);
    EXPECT_GE(least, most - 1) << digit;  // as even as its number of images allows
    EXPECT_GT(least, 0) << digit;
  }
}

TEST(ColorMnist, ShowsTheSameImagesUnderBothLabels) {
  const Dataset source = grey();
  const Dataset digits = color_dataset(source, ColorLabel::digit, Key(1));
  const Dataset colors = color_dataset(source, ColorLabel::color, Key(1));
  EXPECT_EQ(digits.name, "color_mnist");
  EXPECT_EQ(colors.name, "color_mnist_colors");
  EXPECT_EQ(digits.validation.pixels, colors.validation.pixels);
  EXPECT_EQ(digits.validation.labels, source.validation.labels);
  EXPECT_NE(digits.digest, colors.digest);
  EXPECT_NE(color_dataset(source, ColorLabel::color, Key(2)).train.labels, colors.train.labels);
}

TEST(ColorMnist, RefusesImagesThatHaveColours) {
  const Dataset coloured = color_dataset(grey(), ColorLabel::digit, Key(1));
  expect_misuse([&] { static_cast<void>(color_dataset(coloured, ColorLabel::digit, Key(1))); },
                {"[data.color_mnist] images must have one channel to be coloured, got 3"});
}

}  // namespace
}  // namespace vaeguard::data
