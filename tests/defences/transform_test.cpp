// Input transforms against small cases by hand and their laws; the defence that puts one before another.
#include "vaeguard/defences/transform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "tests/expect_misuse.h"
#include "vaeguard/models/conv_vae.h"

namespace vaeguard::defences {
namespace {

Matrix random_images(std::int64_t count, ImageShape shape) {
  Matrix images(count, shape.size());
  fill_uniform(Key(8), 0.0F, 1.0F, images.flat());
  return images;
}

/// The transform of one grey image of this width.
std::vector<float> transformed(const std::string& transform, double parameter, const std::vector<float>& pixels,
                               std::int64_t width) {
  const auto size = static_cast<std::int64_t>(pixels.size());
  return apply_transform({.transform = transform, .parameter = parameter, .name = {}}, Matrix(1, size, pixels),
                         {1, size / width, width}, 1)
      .values();
}

TEST(Transform, ThresholdMakesThePixelsAtTheLevelWhite) {
  EXPECT_EQ(transformed("threshold", 0.5, {0.0F, 0.499F, 0.5F, 1.0F}, 2), (std::vector<float>{0, 0, 1, 1}));
  EXPECT_EQ(transformed("threshold", 0.2, {0.0F, 0.19F, 0.2F, 0.3F}, 2), (std::vector<float>{0, 0, 1, 1}));
}

TEST(Transform, SnapTakesOnlyWhatIsNearBlackOrWhite) {
  EXPECT_EQ(transformed("snap", 0.25, {0.0F, 0.25F, 0.26F, 0.74F, 0.75F, 1.0F}, 3),
            (std::vector<float>{0.0F, 0.0F, 0.26F, 0.74F, 1.0F, 1.0F}));
}

TEST(Transform, SnapUndoesAnAttackOfJustItsDistance) {
  for (const float distance : {0.05F, 0.1F, 0.2F, 0.3F}) {
    EXPECT_EQ(transformed("snap", distance, {0.0F + distance, 1.0F - distance}, 2), (std::vector<float>{0, 1}))
        << distance;
  }
}

TEST(Transform, BitDepthTakesTheNearestLevel) {
  // 2 bits: levels 0, 1/3, 2/3, 1; a half lies between two, and the upper one counts.
  const float third = 1.0F / 3.0F;
  EXPECT_EQ(transformed("bit_depth", 2, {0.16F, 0.17F, 0.5F, 0.84F, -0.2F, 1.2F}, 3),
            (std::vector<float>{0.0F, third, 2.0F / 3.0F, 1.0F, 0.0F, 1.0F}));
}

TEST(Transform, OneBitIsTheThresholdAtOneHalf) {
  const ImageShape shape{1, 28, 28};
  const Matrix images = random_images(3, shape);
  EXPECT_EQ(apply_transform({.transform = "bit_depth", .parameter = 1.0, .name = {}}, images, shape, 1),
            apply_transform({.transform = "threshold", .parameter = 0.5, .name = {}}, images, shape, 1));
}

TEST(Transform, MedianReplicatesBordersAndRemovesALonePixel) {
  const std::vector<float> lone = {0, 0, 0, 0, 1, 0, 0, 0, 0};
  EXPECT_EQ(transformed("median", 3, lone, 3), std::vector<float>(9, 0.0F));
  // The corner sees itself four times, its two neighbours twice each and the diagonal one once: 1 1 1 1 | 2 2 4 4 5.
  EXPECT_EQ(transformed("median", 3, {1, 2, 3, 4, 5, 6, 7, 8, 9}, 3), (std::vector<float>{2, 3, 3, 4, 5, 6, 7, 7, 8}));
  EXPECT_EQ(transformed("median", 1, lone, 3), lone);
}

TEST(Transform, MedianAgreesWithSortingEveryWindow) {
  const ImageShape shape{2, 7, 5};
  const Matrix image = random_images(1, shape);
  const Matrix found = apply_transform({.transform = "median", .parameter = 5.0, .name = {}}, image, shape, 1);
  for (std::int64_t c = 0; c < 2; ++c) {
    for (std::int64_t y = 0; y < 7; ++y) {
      for (std::int64_t x = 0; x < 5; ++x) {
        std::multiset<float> window;
        for (std::int64_t i = 0; i < 25; ++i) {
          const std::int64_t v = std::min<std::int64_t>(6, std::max<std::int64_t>(0, y + i / 5 - 2));
          const std::int64_t u = std::min<std::int64_t>(4, std::max<std::int64_t>(0, x + i % 5 - 2));
          window.insert(image(0, c * 35 + v * 5 + u));
        }
        EXPECT_EQ(found(0, c * 35 + y * 5 + x), *std::next(window.begin(), 12));
      }
    }
  }
}

TEST(Transform, GaussianBlurOfAPointIsTheProductOfTwoGaussians) {
  std::vector<float> point(21 * 21, 0.0F);
  point[10 * 21 + 10] = 1.0F;
  const double sigma = 1.3;
  const auto found = transformed("gaussian_blur", sigma, point, 21);
  double sum = 0.0;  // of the untruncated Gaussian over all whole numbers
  for (int i = -30; i <= 30; ++i) {
    sum += std::exp(-0.5 * i * i / (sigma * sigma));
  }
  for (int y = 0; y < 21; ++y) {
    for (int x = 0; x < 21; ++x) {
      const int squares = (y - 10) * (y - 10) + (x - 10) * (x - 10);
      // Beyond four sigma lies less than 1e-4 of the weight.
      EXPECT_NEAR(found[static_cast<std::size_t>(y * 21 + x)], std::exp(-0.5 * squares / (sigma * sigma)) / (sum * sum),
                  1e-4);
    }
  }
  // The point's weight is all still there; rounded to float, 441 pixels may lose 441 * 3e-8 of their sum of 1.
  EXPECT_NEAR(std::accumulate(found.begin(), found.end(), 0.0), 1.0, 1e-6);
}

TEST(Transform, GaussianBlurReplicatesBorders) {
  // Columns 0 1 of height 1: sigma so small that only direct neighbours count, whose weight w follows by hand.
  const double sigma = 0.4;
  const double side = std::exp(-0.5 / (sigma * sigma));
  const double far = std::exp(-2.0 / (sigma * sigma));
  const double sum = 1.0 + 2.0 * side + 2.0 * far;  // four sigma are 1.6, so two pixels on each side
  const auto found = transformed("gaussian_blur", sigma, {0.0F, 1.0F}, 2);
  EXPECT_NEAR(found[0], (side + far) / sum, 1e-7);
  EXPECT_NEAR(found[1], (1.0 + side + far) / sum, 1e-7);
  EXPECT_EQ(transformed("gaussian_blur", 3.0, std::vector<float>(30, 0.25F), 5), std::vector<float>(30, 0.25F));
}

TEST(Transform, ThresholdSnapAndBitDepthChangeNothingTheSecondTime) {
  const ImageShape shape{3, 9, 7};
  const Matrix images = random_images(4, shape);
  for (const std::string name : {"threshold", "snap", "bit_depth"}) {
    const TransformEntry& entry = transforms().find(name);
    for (const double parameter : {entry.least, entry.value, entry.most}) {
      const TransformOptions options{.transform = name, .parameter = parameter, .name = {}};
      const Matrix once = apply_transform(options, images, shape, 1);
      EXPECT_EQ(apply_transform(options, once, shape, 1), once) << name << " " << parameter;
    }
  }
}

TEST(Transform, EachStaysInRangeAndGivesTheSameBitsForAnyBatchAndNumberOfThreads) {
  for (const std::int64_t channels : {1, 3}) {
    const ImageShape shape{channels, 13, 11};
    const Matrix images = random_images(37, shape);
    for (const TransformEntry& entry : transforms()) {
      const TransformOptions options{.transform = std::string(entry.name), .parameter = {}, .name = {}};
      const Matrix whole = apply_transform(options, images, shape, 1);
      EXPECT_EQ(apply_transform(options, images, shape, 3), whole) << entry.name;
      EXPECT_EQ(apply_transform(options, images.slice(36, 1), shape, 1), whole.slice(36, 1)) << entry.name;
      EXPECT_THAT(whole.values(), testing::Each(testing::AllOf(testing::Ge(0.0F), testing::Le(1.0F)))) << entry.name;
      EXPECT_NE(whole, images) << entry.name << " does nothing";
    }
  }
}

TEST(Transform, RefusesAParameterOutsideItsBoundsByName) {
  for (const TransformEntry& entry : transforms()) {
    for (const double bad :
         {entry.least - 1e-6, entry.most + 1e-6, std::nan(""), std::numeric_limits<double>::infinity()}) {
      expect_misuse([&] { validate({.transform = std::string(entry.name), .parameter = bad, .name = {}}); },
                    {"[defences.transform]", std::string(entry.name), std::string(entry.parameter)});
    }
    EXPECT_NO_THROW(validate({.transform = std::string(entry.name), .parameter = {}, .name = {}}));
  }
}

TEST(Transform, RefusesEvenWindowsAndBrokenNumbersOfBits) {
  expect_misuse([] { validate({.transform = "median", .parameter = 4.0, .name = {}}); }, {"odd", "got 4"});
  expect_misuse([] { validate({.transform = "bit_depth", .parameter = 2.5, .name = {}}); }, {"whole", "got 2.5"});
  expect_misuse([] { validate({.transform = "jpeg", .parameter = 50.5, .name = {}}); }, {"whole", "got 50.5"});
}

TEST(Transform, AMistypedNameGetsTheNearestOne) {
  expect_misuse([] { validate({.transform = "treshold", .parameter = {}, .name = {}}); },
                {"treshold", "did you mean 'threshold'", "gaussian_blur"});
}

TEST(Transform, RefusesShapesThatDoNotAgreeAndPixelsThatAreNoNumbers) {
  const TransformOptions options;
  expect_misuse([&] { apply_transform(options, Matrix(2, 783), {1, 28, 28}, 1); }, {"[any, 784]", "[2, 783]"});
  expect_misuse([&] { apply_transform(options, Matrix(2, 784), {1, -28, -28}, 1); }, {"-28"});
  expect_misuse([&] { apply_transform(options, Matrix(2, 0), {0, 28, 28}, 1); }, {"at least 1 x 1 x 1"});
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    for (const TransformEntry& entry : transforms()) {
      Matrix images(2, 64, 0.5F);
      images(1, 3) = bad;
      expect_misuse(
          [&] {
            apply_transform({.transform = std::string(entry.name), .parameter = {}, .name = {}}, images, {1, 8, 8}, 1);
          },
          {"images must be finite", "row 1, column 3"});
    }
  }
  EXPECT_EQ(apply_transform(options, Matrix(0, 784), {1, 28, 28}, 2), Matrix(0, 784));
}

TEST(Transformed, InfersWhatTheNextDefenceInfersOfTheTransformedImages) {
  const models::Vae vae(models::conv_vae({1, 28, 28}, {}, Key(1)));
  const Matrix images = random_images(3, vae.image());
  const std::vector<Key> keys = {Key(1), Key(2), Key(3)};
  const TransformOptions options{.transform = "median", .parameter = 5.0, .name = {}};
  const Inference found = make_transformed(options, make_undefended())->infer(vae, images, keys, 2, silent_observer());
  const Inference expected =
      make_undefended()->infer(vae, apply_transform(options, images, vae.image(), 1), keys, 1, silent_observer());
  EXPECT_EQ(found.draw, expected.draw);
  EXPECT_EQ(found.mean, expected.mean);
  EXPECT_EQ(found.mean_reconstruction, expected.mean_reconstruction);
  EXPECT_NE(found.mean, make_undefended()->infer(vae, images, keys, 1, silent_observer()).mean);
}

TEST(Transformed, IsNamedAfterBothUnlessItHasANameOfItsOwn) {
  const auto alone = [] {
    return make_transformed({.transform = "jpeg", .parameter = {}, .name = {}}, make_undefended());
  };
  EXPECT_EQ(alone()->name(), "jpeg");
  EXPECT_EQ(make_transformed({.transform = "median", .parameter = {}, .name = {}}, alone())->name(), "median_jpeg");
  EXPECT_EQ(make_transformed({.transform = "median", .parameter = {}, .name = "mine"}, alone())->name(), "mine");
}

TEST(Transformed, RefusesBadOptionsAndAMissingDefenceAtOnce) {
  expect_misuse([] { make_transformed({.transform = "median", .parameter = 2.0, .name = {}}, make_undefended()); },
                {"window of median"});
  expect_misuse([] { make_transformed({}, nullptr); }, {"got none"});
}

}  // namespace
}  // namespace vaeguard::defences
