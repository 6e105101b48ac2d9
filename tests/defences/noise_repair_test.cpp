// Repair under noise: what it finds, that it repairs, and that it depends on nothing but the image.
#include "vaeguard/defences/noise_repair.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "tests/defences/attacked_digits.h"
#include "tests/defences/fixtures.h"
#include "tests/expect_misuse.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/energy/observation.h"

namespace vaeguard::defences {
namespace {

TEST(NoiseRepair, WithoutPassesItIsWhatTheHistogramExpects) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(3);
  const NoiseRepaired repaired = repair_noise(vae, images, {.passes = 0}, 1);
  const models::PixelLaw histogram = models::histogram_alone(*vae.pixel_law());
  const std::vector<float> any(static_cast<std::size_t>(kSmallPixels), 0.0F);
  for (std::int64_t b = 0; b < 3; ++b) {
    Matrix expected(1, kSmallPixels);
    energy::expect_under_noise(histogram, 0.2, images.row(b), any, expected.row(0));
    EXPECT_EQ(repaired.images.slice(b, 1), expected);
  }
}

TEST(NoiseRepair, NoiseThatIsThereIsFoundToWithinAFactorOfTwoOfTheMostProbableSize) {
  const models::Vae vae(small_weights());
  Matrix images = level_images(5);
  Matrix noise(images.rows(), images.columns());
  fill_normal(Key(21), noise.flat());
  for (std::size_t i = 0; i < images.flat().size(); ++i) {
    images.data()[i] += 0.2F * noise.values()[i];
  }
  const NoiseRepaired repaired = repair_noise(vae, images, {.passes = 3}, 1);
  const Matrix before = repair_noise(vae, images, {.passes = 2}, 1).images;  // whose code is the last
  const Matrix outputs = models::forward_all(vae.generative(), vae.encode(before).mean, 1);
  for (std::int64_t b = 0; b < 5; ++b) {
    const auto energy_of = [&](double scale) {
      return energy::law_observation(vae.pixel_law(), images.slice(b, 1), {scale})->negative_log(0, outputs.row(b), {});
    };
    const double found = repaired.noise[static_cast<std::size_t>(b)];
    EXPECT_LT(energy_of(found), energy_of(0.5 * found)) << found;
    EXPECT_LT(energy_of(found), energy_of(2.0 * found)) << found;
  }
}

TEST_F(AttackedDigits, RepairUnderNoiseFindsTheAttackAndUndoesMostOfIt) {
  const auto mean_noise = [](const NoiseRepaired& repaired) {
    return std::accumulate(repaired.noise.begin(), repaired.noise.end(), 0.0) / kImages;
  };
  double earlier = mean_noise(repair_noise(vae_, clean_, {.passes = 4}, 2));
  for (const float radius : {0.1F, 0.2F}) {
    const Matrix images = attacked(radius);
    const NoiseRepaired repaired = repair_noise(vae_, images, {.passes = 4}, 2);
    EXPECT_GT(mean_noise(repaired), 1.3 * earlier);
    EXPECT_LT(distance(vae_.encode(repaired.images).mean), 0.5 * distance(vae_.encode(images).mean)) << radius;
    earlier = mean_noise(repaired);
  }
}

TEST(NoiseRepair, NoiseThatIsNotAskedForIsNotSought) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(3);
  const NoiseRepaired repaired = repair_noise(vae, images, {.passes = 2, .finds_noise = false}, 1);
  EXPECT_EQ(repaired.images, repair_noise(vae, images, {.passes = 2}, 1).images);
  EXPECT_TRUE(repaired.noise.empty());
}

TEST(NoiseRepair, ABatchAndItsThreadsChangeNoBit) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(70);
  const NoiseRepaired all = repair_noise(vae, images, {.passes = 3}, 2);
  for (const std::int64_t b : {0, 31, 32, 69}) {
    const NoiseRepaired one = repair_noise(vae, images.slice(b, 1), {.passes = 3}, 1);
    EXPECT_EQ(one.images, all.images.slice(b, 1));
    EXPECT_EQ(one.noise.front(), all.noise[static_cast<std::size_t>(b)]);
  }
}

TEST(NoiseRepair, NeedsAPixelLawAndImagesOfNumbers) {
  expect_misuse([] { static_cast<void>(repair_noise(without_law(), level_images(1), {.passes = 2}, 1)); },
                {"[defences.noise_repair] the model must have a pixel law"});
  Matrix images = level_images(2);
  images(1, 3) = std::numeric_limits<float>::quiet_NaN();
  expect_misuse([&] { static_cast<void>(repair_noise(models::Vae(small_weights()), images, {.passes = 2}, 1)); },
                {"[defences.noise_repair]", "images"});
}

}  // namespace
}  // namespace vaeguard::defences
