// Counting pixel laws where the decoder's outputs are known, and what smoothing may and may not do.
#include "vaeguard/training/pixel_law_fit.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "tests/expect_misuse.h"
#include "tests/training/tiny_vae.h"

namespace vaeguard::training {
namespace {

using models::PixelLaw;

/// A VAE whose decoder gives each pixel the same output whatever the code.
models::Vae constant_vae(const std::vector<float>& outputs, const models::Likelihood& likelihood = {}) {
  const auto pixels = static_cast<std::int64_t>(outputs.size());
  models::VaeWeights weights{.architecture = "constant",
                             .encoder = {.inputs = {{pixels, 1, 1}}},
                             .decoder = {.inputs = {{1, 1, 1}}},
                             .likelihood = likelihood};
  weights.encoder.add(networks::Operation::convolution, {.channels = 2});
  weights.decoder.add(networks::Operation::convolution, {.channels = pixels});
  std::ranges::copy(outputs, weights.decoder.bias(weights.decoder.layers.front()).begin());
  return models::Vae(std::move(weights), "reference");
}

/// Kernels so narrow that they smooth nothing, and next to no prior: counts as they are.
PixelLawFitOptions bare() {
  PixelLawFitOptions options;
  options.node_width = 0.1;
  options.level_width = 0.1;
  options.prior_pixels = 1e-3;
  return options;
}

Matrix of_levels(std::int64_t rows, const std::vector<int>& levels) {
  Matrix images(rows, static_cast<std::int64_t>(levels.size()) / rows);
  std::ranges::transform(levels, images.data(), [](int level) { return static_cast<float>(level) / 255.0F; });
  return images;
}

double sum_of_row(const PixelLaw& law, std::int64_t node) {
  const auto row = law.probability.row(node);
  return std::accumulate(row.begin(), row.end(), 0.0);
}

// Logits -3 and 2 are nodes 36 and 56 of 97 from -12 to 12; 0.125 lies midway between 48 and 49.
constexpr std::int64_t kLow = 36;
constexpr std::int64_t kHigh = 56;

// Each node leaves 256 times 1e-9 to levels that nobody saw, and hands that on to the next one outwards.
constexpr double kLeak = 97 * 256e-9;

TEST(PixelLawFit, CountsWhichLevelStandsWhereTheDecoderSaysWhat) {
  const models::Vae vae = constant_vae({-3.0F, 2.0F, 0.125F});
  const Matrix images = of_levels(4, {0, 200, 7, 0, 200, 7, 0, 255, 8, 50, 100, 8});
  const PixelLaw law = fit_pixel_law(vae, images, Key(1), bare());
  EXPECT_EQ(law.nodes(), 97);
  EXPECT_EQ(law.first, -12.0);
  EXPECT_EQ(law.spacing, 0.25);
  // Among four pixels the prior's thousandth of one is 2.5e-4.
  constexpr double kPrior = 3e-4;
  EXPECT_NEAR(law.probability(kLow, 0), 0.75, kPrior);
  EXPECT_NEAR(law.probability(kLow, 50), 0.25, kPrior);
  EXPECT_NEAR(law.probability(kHigh, 200), 0.5, kPrior);
  EXPECT_NEAR(law.probability(kHigh, 255), 0.25, kPrior);
  EXPECT_NEAR(law.probability(kHigh, 100), 0.25, kPrior);
  for (const std::int64_t node : {48, 49}) {
    EXPECT_NEAR(law.probability(node, 7), 0.5, 2.0 * kPrior);  // half the pixels, twice the prior
    EXPECT_NEAR(law.probability(node, 8), 0.5, 2.0 * kPrior);
    EXPECT_NEAR(law.weight[static_cast<std::size_t>(node)], 1.0 / 6.0, 1e-6);  // the logit's place is in float
  }
  EXPECT_NEAR(law.weight[kLow], 1.0 / 3.0, 1e-12);
  EXPECT_NEAR(law.weight[kHigh], 1.0 / 3.0, 1e-12);
}

TEST(PixelLawFit, MeansHaveNodesAroundTheRange) {
  for (const auto& likelihood : {models::gaussian(0.1), models::laplace(0.1)}) {
    const models::Vae vae = constant_vae({0.5F}, likelihood);
    const PixelLaw law = fit_pixel_law(vae, of_levels(2, {10, 20}), Key(1), bare());
    EXPECT_EQ(law.first, -0.25);
    EXPECT_DOUBLE_EQ(law.parameter(96), 1.25);
    EXPECT_NEAR(law.weight[48], 1.0, 1e-12);
  }
}

TEST(PixelLawFit, SaturatedLevelsNeitherGiveNorTake) {
  const models::Vae vae = constant_vae({-3.0F});
  PixelLawFitOptions options = bare();
  options.level_width = 4.0;
  const PixelLaw law = fit_pixel_law(vae, of_levels(6, {0, 0, 255, 128, 2, 253}), Key(1), options);
  EXPECT_NEAR(law.probability(kLow, 0), 2.0 / 6.0, 0.02);  // near an end the kernel is cut and mass not quite kept
  EXPECT_NEAR(law.probability(kLow, 255), 1.0 / 6.0, 0.02);
  // What stood at 128 lies around it now, as a bell.
  EXPECT_NEAR(law.probability(kLow, 124), law.probability(kLow, 132), 1e-6);
  // The prior has the pixel at 128 itself, 1.7e-4 of a pixel beside a peak of 0.1, and so dulls it.
  EXPECT_NEAR(law.probability(kLow, 132) / law.probability(kLow, 128), std::exp(-0.5), 2e-3);
  const PixelLaw black = fit_pixel_law(vae, of_levels(2, {0, 0}), Key(1), options);
  EXPECT_LT(black.probability(kLow, 1), 1e-6);
  const PixelLaw dark = fit_pixel_law(vae, of_levels(2, {1, 1}), Key(1), options);
  EXPECT_LT(dark.probability(kLow, 0), 1e-6);
  EXPECT_GT(dark.probability(kLow, 3), 0.05);
}

TEST(PixelLawFit, NodesThatSawNothingTakeAfterTheirInnerNeighbour) {
  const models::Vae vae = constant_vae({-3.0F, 2.0F});
  const Matrix images = of_levels(2, {0, 200, 50, 200});
  const PixelLaw law = fit_pixel_law(vae, images, Key(1), bare());
  for (std::int64_t v = 0; v < PixelLaw::kLevels; ++v) {
    // Each node adds 1e-9 a level, and there are 60 at most.
    for (const std::int64_t node : {0, 17, 35}) {
      EXPECT_NEAR(law.probability(node, v), law.probability(kLow, v), kLeak);
    }
    for (const std::int64_t node : {57, 80, 96}) {
      EXPECT_NEAR(law.probability(node, v), law.probability(kHigh, v), kLeak);
    }
    // From the middle to the first node that saw something: the histogram of all pixels.
    const double histogram = v == 0 || v == 50 ? 0.25 : v == 200 ? 0.5 : 0.0;
    for (const std::int64_t node : {37, 48, 55}) {
      EXPECT_NEAR(law.probability(node, v), histogram, kLeak);
    }
  }
}

TEST(PixelLawFit, ANeighbourCountsForAsManyPixelsAsItIsSaid) {
  const models::Vae vae = constant_vae({-3.0F, 2.0F});
  PixelLawFitOptions options = bare();
  options.prior_pixels = 6.0;
  const PixelLaw law = fit_pixel_law(vae, of_levels(2, {50, 200, 50, 200}), Key(1), options);
  // Two pixels of level 50, and six of the histogram, half of which are.
  EXPECT_NEAR(law.probability(kLow, 50), (2.0 + 3.0) / 8.0, kLeak);
  EXPECT_NEAR(law.probability(kLow, 200), 3.0 / 8.0, kLeak);
}

TEST(PixelLawFit, IsALawWithRowsThatSumToOneAndTheSameForAnyNumberOfThreads) {
  const models::Vae vae(tiny_vae());
  const Matrix images = tiny_images(1100, Key(4)).pixels;  // three rounds of at most 500
  const PixelLaw one = fit_pixel_law(vae, images, Key(5), {});
  EXPECT_NO_THROW(models::validate(one, "here"));
  for (std::int64_t node = 0; node < one.nodes(); ++node) {
    EXPECT_NEAR(sum_of_row(one, node), 1.0, 256 * 6e-8);  // roundings to float
  }
  EXPECT_NEAR(std::accumulate(one.weight.begin(), one.weight.end(), 0.0), 1.0, 1e-9);
  for (const int threads : {2, 3}) {
    PixelLawFitOptions options;
    options.threads = threads;
    const PixelLaw other = fit_pixel_law(vae, images, Key(5), options);
    EXPECT_EQ(other.probability, one.probability);
    EXPECT_EQ(other.weight, one.weight);
  }
}

TEST(PixelLawFit, CountsAsManyImagesAsAskedAndDependsOnTheKey) {
  const models::Vae vae(tiny_vae());
  const Matrix images = tiny_images(60, Key(4)).pixels;
  PixelLawFitOptions options;
  options.images = 40;
  const PixelLaw some = fit_pixel_law(vae, images, Key(5), options);
  EXPECT_EQ(some.probability, fit_pixel_law(vae, images.slice(0, 40), Key(5), {}).probability);
  EXPECT_NE(some.probability, fit_pixel_law(vae, images, Key(5), {}).probability);
  EXPECT_NE(some.probability, fit_pixel_law(vae, images, Key(6), options).probability);
}

TEST(PixelLawFit, NothingToCountAndBadOptionsAreRefused) {
  const models::Vae vae(tiny_vae());
  const Matrix images = tiny_images(3, Key(4)).pixels;
  const auto fit = [&](const Matrix& of, PixelLawFitOptions options) { fit_pixel_law(vae, of, Key(5), options); };
  const std::string numbers = "[training.pixel_law_fit] images and nodes must number at least 1 and 4, got ";
  expect_misuse([&] { fit(Matrix(0, 36), {}); }, {numbers + "0 and 97"});
  expect_misuse([&] { fit(images, {.images = 0}); }, {numbers + "0 and 97"});
  expect_misuse([&] { fit(images, {.nodes = 3}); }, {numbers + "3 and 3"});
  expect_misuse([&] { fit(Matrix(2, 35), {}); }, {"[training.pixel_law_fit] images must be", "35"});
}

}  // namespace
}  // namespace vaeguard::training
