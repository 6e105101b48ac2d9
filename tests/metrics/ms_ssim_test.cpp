// MS-SSIM against golden values of an independent implementation, and the laws it obeys.
#include "vaeguard/metrics/ms_ssim.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "vaeguard/base/error.h"
#include "vaeguard/base/random.h"

namespace vaeguard::metrics {
namespace {

using testing::HasSubstr;

constexpr ImageShape kMnist{1, 28, 28};

nlohmann::json golden_cases() {
  std::ifstream file(std::string(VAEGUARD_SOURCE_DIR) + "/tests/golden/ms_ssim.json");
  return nlohmann::json::parse(file).at("cases");
}

Matrix image_row(const nlohmann::json& values) {
  auto pixels = values.get<std::vector<float>>();
  const auto columns = static_cast<std::int64_t>(pixels.size());
  return Matrix(1, columns, std::move(pixels));
}

Matrix random_images(std::uint64_t seed, std::int64_t count, ImageShape shape) {
  Matrix images(count, shape.size());
  fill_uniform(Key(seed), 0.0F, 1.0F, images.flat());
  return images;
}

/// Images like `images` with uniform noise of the given size, so that all terms are positive.
Matrix with_noise(const Matrix& images, float size) {
  Matrix noisy = images;
  Matrix noise(images.rows(), images.columns());
  fill_uniform(Key(99), -size, size, noise.flat());
  for (std::int64_t i = 0; i < noisy.rows(); ++i) {
    for (std::int64_t j = 0; j < noisy.columns(); ++j) {
      noisy(i, j) = std::clamp(noisy(i, j) + noise(i, j), 0.0F, 1.0F);
    }
  }
  return noisy;
}

// Both sides compute in double; rounding differs by the order of sums, divided by C2 = 9e-4 where images are flat.
constexpr double kRounding = 1e-10;

TEST(MsSsim, Kuzina22EqualsGoldenValues) {
  int compared = 0;
  for (const auto& golden : golden_cases()) {
    if (!golden.contains("kuzina22")) {
      continue;
    }
    const auto shape = golden.at("shape").get<std::vector<std::int64_t>>();
    const auto found =
        ms_ssim_kuzina22(image_row(golden.at("a")), image_row(golden.at("b")), {shape[0], shape[1], shape[2]});
    EXPECT_NEAR(found.at(0), golden.at("kuzina22").get<double>(), kRounding) << golden.at("name");
    ++compared;
  }
  EXPECT_GE(compared, 12);
}

TEST(MsSsim, Wang03EqualsGoldenValues) {
  int compared = 0;
  for (const auto& golden : golden_cases()) {
    if (!golden.contains("wang03")) {
      continue;
    }
    const auto shape = golden.at("shape").get<std::vector<std::int64_t>>();
    const auto found =
        ms_ssim_wang03(image_row(golden.at("a")), image_row(golden.at("b")), {shape[0], shape[1], shape[2]});
    EXPECT_NEAR(found.at(0), golden.at("wang03").get<double>(), kRounding) << golden.at("name");
    ++compared;
  }
  EXPECT_GE(compared, 11);
}

TEST(MsSsim, IdenticalImagesScoreOne) {
  const Matrix images = random_images(1, 5, kMnist);
  // Each term is 1 up to the rounding of its mean over positions.
  for (const double value : ms_ssim_kuzina22(images, images, kMnist)) {
    EXPECT_NEAR(value, 1.0, 1e-14);
  }
  for (const double value : ms_ssim_wang03(images, images, kMnist)) {
    EXPECT_NEAR(value, 1.0, 1e-14);
  }
}

TEST(MsSsim, BothAreSymmetricForImagesInTheUnitRange) {
  const Matrix a = random_images(2, 4, kMnist);
  const Matrix b = with_noise(a, 0.3F);
  EXPECT_EQ(ms_ssim_kuzina22(a, b, kMnist), ms_ssim_kuzina22(b, a, kMnist));
  EXPECT_EQ(ms_ssim_wang03(a, b, kMnist), ms_ssim_wang03(b, a, kMnist));
}

TEST(MsSsim, Kuzina22TakesTheValueRangeFromTheFirstImage) {
  const Matrix a = random_images(3, 1, kMnist);
  Matrix b = with_noise(a, 0.3F);
  b(0, 0) = -1.0F;
  // One pixel below -0.5 doubles the range at one level only; rounding is smaller by many orders.
  EXPECT_GT(std::abs(ms_ssim_kuzina22(a, b, kMnist).at(0) - ms_ssim_kuzina22(b, a, kMnist).at(0)), 1e-5);
}

TEST(MsSsim, LiesBetweenZeroAndOneForAnyImages) {
  const Matrix a = random_images(4, 50, kMnist);
  const Matrix b = random_images(5, 50, kMnist);
  const Matrix near = with_noise(a, 0.2F);
  for (const auto& values : {ms_ssim_kuzina22(a, b, kMnist), ms_ssim_wang03(a, b, kMnist),
                             ms_ssim_kuzina22(a, near, kMnist), ms_ssim_wang03(a, near, kMnist)}) {
    for (const double value : values) {
      EXPECT_GE(value, 0.0);
      EXPECT_LE(value, 1.0);
    }
  }
}

TEST(MsSsim, FallsAsNoiseGrows) {
  const Matrix a = random_images(6, 1, kMnist);
  for (const auto measure : {ms_ssim_kuzina22, ms_ssim_wang03}) {
    const double little = measure(a, with_noise(a, 0.05F), kMnist).at(0);
    const double more = measure(a, with_noise(a, 0.2F), kMnist).at(0);
    const double most = measure(a, with_noise(a, 0.5F), kMnist).at(0);
    EXPECT_GT(little, more);
    EXPECT_GT(more, most);
  }
}

TEST(MsSsim, Kuzina22RaisesTheLuminanceOfConstantImagesToTheFourthWeight) {
  const Matrix a(1, kMnist.size(), 0.2F);
  const Matrix b(1, kMnist.size(), 0.6F);
  // Constant images have no contrast, so every contrast term is 1 and each level's luminance is this one.
  const double luminance = (2 * 0.2 * 0.6 + 1e-4) / (0.2 * 0.2 + 0.6 * 0.6 + 1e-4);
  // float32 pixels are 1e-8 off; their squares, divided by C2 = 9e-4, 1e-7.
  EXPECT_NEAR(ms_ssim_kuzina22(a, b, kMnist).at(0), std::pow(luminance, 4 * 0.1333), 1e-6);
  EXPECT_NEAR(ms_ssim_wang03(a, b, kMnist).at(0), std::pow(luminance, 0.1333), 1e-6);
}

TEST(MsSsim, APairIsScoredAloneWhateverItsBatch) {
  const Matrix a = random_images(7, 7, kMnist);
  const Matrix b = with_noise(a, 0.3F);
  for (const auto measure : {ms_ssim_kuzina22, ms_ssim_wang03}) {
    const auto together = measure(a, b, kMnist);
    for (std::int64_t i = 0; i < a.rows(); ++i) {
      EXPECT_EQ(measure(a.slice(i, 1), b.slice(i, 1), kMnist).at(0), together.at(static_cast<std::size_t>(i)));
    }
  }
}

TEST(MsSsim, NanPixelsGiveNanNotAScore) {
  Matrix a = random_images(8, 2, kMnist);
  const Matrix b = a;
  a(0, 400) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(ms_ssim_kuzina22(a, b, kMnist).at(0)));
  EXPECT_TRUE(std::isnan(ms_ssim_wang03(a, b, kMnist).at(0)));
  EXPECT_FALSE(std::isnan(ms_ssim_wang03(a, b, kMnist).at(1)));
}

TEST(MsSsim, Wang03ScoresAnImageOfOnePixelByItsLuminance) {
  const Matrix a(1, 1, 0.2F);
  const Matrix b(1, 1, 0.6F);
  EXPECT_NEAR(ms_ssim_wang03(a, b, {1, 1, 1}).at(0), (2 * 0.2 * 0.6 + 1e-4) / (0.2 * 0.2 + 0.6 * 0.6 + 1e-4), 1e-6);
}

TEST(MsSsim, RefusesWrongShapes) {
  const Matrix small(1, 15 * 15);
  const Matrix image(2, kMnist.size());
  try {
    ms_ssim_kuzina22(small, small, {1, 15, 15});
    FAIL() << "15 x 15 pixels were accepted";
  } catch (const Misuse& error) {
    EXPECT_THAT(error.what(), HasSubstr("at least 1 channel and 16 x 16 pixels, got 1 x 15 x 15"));
  }
  EXPECT_THROW(ms_ssim_kuzina22(image, small, kMnist), Misuse);
  EXPECT_THROW(ms_ssim_wang03(image, image.slice(0, 1), kMnist), Misuse);
  EXPECT_THROW(ms_ssim_wang03(image, image, {0, 28, 28}), Misuse);
}

TEST(MsSsim, NoPairsGiveNoScores) {
  const Matrix none(0, kMnist.size());
  EXPECT_TRUE(ms_ssim_kuzina22(none, none, kMnist).empty());
  EXPECT_TRUE(ms_ssim_wang03(none, none, kMnist).empty());
}

}  // namespace
}  // namespace vaeguard::metrics
