// JPEG against the standard's mathematics in double precision, written out here.
#include "vaeguard/defences/jpeg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

#include "tests/expect_misuse.h"
#include "vaeguard/base/random.h"

namespace vaeguard::defences {
namespace {

// ITU-T T.81, table K.1: steps of the luminance at quality 50, in rows of rising vertical frequency.
constexpr std::array<int, 64> kLuminance = {16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
                                            14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
                                            18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
                                            49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};

double step(int quality, std::size_t frequency) {
  const int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  return std::clamp((kLuminance[frequency] * scale + 50) / 100, 1, 255);
}

double basis(int frequency, int place) {
  const double norm = frequency == 0 ? std::sqrt(0.125) : 0.5;
  return norm * std::cos((2 * place + 1) * frequency * std::numbers::pi / 16.0);
}

using Block = std::array<double, 64>;

/// T.81, A.3.3: the transform of 8 x 8 samples (`forward`) or its inverse.
Block cosine_transform(const Block& from, bool forward) {
  Block to{};
  for (int a = 0; a < 64; ++a) {
    for (int b = 0; b < 64; ++b) {
      const int frequency = forward ? a : b;
      const int place = forward ? b : a;
      to[static_cast<std::size_t>(a)] +=
          from[static_cast<std::size_t>(b)] * basis(frequency / 8, place / 8) * basis(frequency % 8, place % 8);
    }
  }
  return to;
}

struct Expected {
  Block samples;
  double slack = 0.0;  // what near ties may change
};

/// One block of samples 0 .. 255 there and back. Coefficients of libjpeg's integer transform are off by up to about 1/8
/// of a level, so one that is as near to a tie may round to the other step; the basis is at most 1/4, hence step / 4.
Expected round_trip(const Block& samples, int quality) {
  Block coefficients = samples;
  std::ranges::for_each(coefficients, [](double& value) { value -= 128.0; });
  coefficients = cosine_transform(coefficients, true);
  Expected expected;
  for (std::size_t i = 0; i < 64; ++i) {
    const double size = step(quality, i);
    const double steps = coefficients[i] / size;
    const double to_tie = (0.5 - std::abs(steps - std::round(steps))) * size;
    expected.slack += to_tie < 0.125 ? size / 4.0 : 0.0;
    coefficients[i] = std::round(steps) * size;
  }
  expected.samples = cosine_transform(coefficients, false);
  std::ranges::for_each(expected.samples, [](double& value) { value = std::clamp(value + 128.0, 0.0, 255.0); });
  return expected;
}

/// Grey levels that waves and noise make, as whole 255ths.
std::vector<float> grey_image(ImageShape shape, double noise) {
  std::vector<float> image(static_cast<std::size_t>(shape.positions()));
  Stream stream(Key(4));
  for (std::size_t i = 0; i < image.size(); ++i) {
    const auto x = static_cast<double>(static_cast<std::int64_t>(i) % shape.width);
    const auto y = static_cast<double>(static_cast<std::int64_t>(i) / shape.width);
    const double value = 0.5 + 0.3 * std::sin(0.4 * x + 0.1 * y) + noise * (stream.uniform() - 0.5);
    image[i] = static_cast<float>(std::round(255.0 * std::clamp(value, 0.0, 1.0)) / 255.0);
  }
  return image;
}

class GreyJpeg : public testing::TestWithParam<int> {};

TEST_P(GreyJpeg, AgreesWithTheStandardInDoublePrecision) {
  const int quality = GetParam();
  const ImageShape shape{1, 28, 21};  // the last row and column fill up the last blocks
  const std::vector<float> image = grey_image(shape, 0.4);
  std::vector<float> found(image.size());
  jpeg_round_trip(quality, shape, image, found);
  int without_slack = 0;
  for (std::int64_t top = 0; top < shape.height; top += 8) {
    for (std::int64_t left = 0; left < shape.width; left += 8) {
      Block samples;
      for (std::int64_t i = 0; i < 64; ++i) {
        const std::int64_t y = std::min(top + i / 8, shape.height - 1);
        const std::int64_t x = std::min(left + i % 8, shape.width - 1);
        samples[static_cast<std::size_t>(i)] = std::round(255.0 * image[static_cast<std::size_t>(y * shape.width + x)]);
      }
      const Expected expected = round_trip(samples, quality);
      without_slack += expected.slack == 0.0 ? 1 : 0;
      for (std::int64_t y = top; y < std::min(top + 8, shape.height); ++y) {
        for (std::int64_t x = left; x < std::min(left + 8, shape.width); ++x) {
          // One level: rounding to a level, and the integer transform.
          EXPECT_NEAR(255.0 * found[static_cast<std::size_t>(y * shape.width + x)],
                      expected.samples[static_cast<std::size_t>((y - top) * 8 + x - left)], 1.01 + expected.slack)
              << "block " << top << ", " << left;
        }
      }
    }
  }
  // At quality 100 all steps are 1 and every block has a coefficient near a tie.
  EXPECT_GE(without_slack, quality <= 75 ? 4 : 0) << "the comparison must be sharp somewhere";
}

INSTANTIATE_TEST_SUITE_P(Qualities, GreyJpeg, testing::Values(1, 10, 50, 75, 95, 100));

double error_255(std::span<const float> a, std::span<const float> b) {
  double squares = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    squares += std::pow(255.0 * (a[i] - b[i]), 2);
  }
  return std::sqrt(squares / static_cast<double>(a.size()));
}

TEST(Jpeg, BetterQualityIsNearerToTheImage) {
  const ImageShape shape{1, 32, 32};
  const std::vector<float> image = grey_image(shape, 0.2);
  std::vector<float> found(image.size());
  double last = 256.0;
  for (const int quality : {5, 25, 50, 75, 95, 100}) {
    jpeg_round_trip(quality, shape, image, found);
    const double error = error_255(image, found);
    EXPECT_LT(error, last) << quality;
    last = error;
  }
  // Steps of 1 leave each sample a normal error of variance 1/12, which rounding makes 0 or, of 8.3 %, one level:
  // sqrt(0.083) = 0.289, give or take 0.015 of 1,024 samples and the integer transform.
  EXPECT_NEAR(last, 0.289, 0.05);
}

TEST(Jpeg, KeepsTheOrderOfColoursAndChannels) {
  const ImageShape shape{3, 16, 24};
  const auto positions = static_cast<std::size_t>(shape.positions());
  const std::vector<float> colour = {0.9F, 0.3F, 0.1F};
  std::vector<float> image;
  for (const float level : colour) {
    image.insert(image.end(), positions, level);
  }
  std::vector<float> found(image.size());
  jpeg_round_trip(100, shape, image, found);
  for (std::size_t i = 0; i < image.size(); ++i) {
    // Luminance and chroma are whole levels: each is off by half a level, blue takes 1.772 of one chroma besides.
    EXPECT_NEAR(255.0 * found[i], 255.0 * image[i], 2.5) << i;
  }
}

TEST(Jpeg, GreyInThreeChannelsIsGreyInOne) {
  const ImageShape grey{1, 24, 19};
  const std::vector<float> image = grey_image(grey, 0.4);
  std::vector<float> expected(image.size());
  jpeg_round_trip(50, grey, image, expected);
  std::vector<float> colours;
  for (int c = 0; c < 3; ++c) {
    colours.insert(colours.end(), image.begin(), image.end());
  }
  std::vector<float> found(colours.size());
  jpeg_round_trip(50, {3, 24, 19}, colours, found);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i], expected[i % expected.size()]) << i;  // the luminance of equal levels is the level itself
  }
}

TEST(Jpeg, NoiseAtTheBestQualityFitsItsBuffer) {
  for (const ImageShape shape :
       {ImageShape{1, 1, 1}, ImageShape{3, 1, 1}, ImageShape{1, 64, 65}, ImageShape{3, 65, 64}}) {
    std::vector<float> image(static_cast<std::size_t>(shape.size()));
    Stream stream(Key(6));
    for (float& pixel : image) {
      pixel = stream.uniform() < 0.5 ? 0.0F : 1.0F;
    }
    std::vector<float> found(image.size());
    EXPECT_NO_THROW(jpeg_round_trip(100, shape, image, found)) << shape.channels;
  }
}

TEST(Jpeg, RefusesOtherChannelsSizesAndQualities) {
  std::vector<float> pixels(128, 0.5F);
  expect_misuse([&] { jpeg_round_trip(75, {2, 8, 8}, pixels, pixels); }, {"1 or 3 channels, got 2"});
  expect_misuse([&] { jpeg_round_trip(75, {1, 8, 8}, pixels, pixels); }, {"64 pixels, got 128"});
  expect_misuse([] { jpeg_round_trip(75, {1, 1, 70'000}, {}, {}); }, {"sides of 1 to 65500", "1 x 70000"});
  expect_misuse([] { jpeg_round_trip(75, {1, 0, 8}, {}, {}); }, {"0 x 8"});
  expect_misuse([&] { jpeg_round_trip(0, {1, 8, 16}, pixels, pixels); }, {"quality", "got 0"});
  expect_misuse([&] { jpeg_round_trip(101, {1, 8, 16}, pixels, pixels); }, {"quality", "got 101"});
}

}  // namespace
}  // namespace vaeguard::defences
