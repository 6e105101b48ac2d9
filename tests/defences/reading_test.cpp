// Readings of images: which energy each gives, repair by encoder and pixel law, and independence of batch and threads.
#include "vaeguard/defences/reading.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/defences/fixtures.h"
#include "tests/expect_misuse.h"
#include "vaeguard/energy/posterior.h"
#include "vaeguard/models/checkpoint.h"

namespace vaeguard::defences {
namespace {

constexpr double kRadius = 26.0 / 255.0;

Matrix random_latents(std::int64_t count) { return networks::random_matrix(Key(6), count, kSmallLatents); }

models::Vae without_law() {
  models::VaeWeights weights = small_weights();
  weights.pixel_law = nullptr;
  return models::Vae(weights);
}

bool same(const energy::Channel& a, const energy::Channel& b) {
  return a.radius == b.radius && a.untouched == b.untouched && a.uniform == b.uniform && a.extreme == b.extreme &&
         a.up == b.up;
}

TEST(Reading, ExactIsTheOrdinaryPosteriorOfTheImagesThemselves) {
  const models::Vae vae = without_law();
  const Matrix images = level_images(5);
  const Problem problem = read_images(vae, images, {}, 2);
  EXPECT_EQ(problem.images, images);
  EXPECT_EQ(problem.observation, nullptr);
  EXPECT_TRUE(problem.radii.empty());
  const Matrix latents = random_latents(5);
  EXPECT_EQ(values_of(*problem.energy, latents, 1), values_of(energy::PosteriorEnergy(vae, images), latents, 1));
}

TEST(Reading, TheMinimumOfAGivenBallNeedsNoLawAndRepairsNothing) {
  const models::Vae vae = without_law();
  const Matrix images = level_images(5);
  const Matrix latents = random_latents(5);
  for (const auto norm : {energy::BallNorm::linf, energy::BallNorm::l2}) {
    const Problem problem = read_images(vae, images, {.reading = Reading::minimum, .norm = norm, .radius = kRadius}, 2);
    EXPECT_EQ(problem.images, images);
    EXPECT_EQ(problem.radii, std::vector<double>(5, kRadius));
    const energy::PosteriorEnergy expected(
        vae, energy::minimum_observation(vae.likelihood(), images, norm, std::vector<double>(5, kRadius)));
    EXPECT_EQ(values_of(*problem.energy, latents, 1), values_of(expected, latents, 1));
  }
}

TEST(Reading, ABallWithoutRadiusGetsThatOfTheRepairAndNoneWhereMostPixelsAreUntouched) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(12);
  const ReadingOptions options{.reading = Reading::minimum};
  const Problem problem = read_images(vae, images, options, 1);
  const Repaired repaired = repair(vae, images, options, 8, 1);
  EXPECT_EQ(problem.images, repaired.images);
  for (std::size_t b = 0; b < 12; ++b) {
    const energy::Channel& channel = repaired.channels[b];
    EXPECT_EQ(problem.radii[b], channel.untouched > 0.5 ? 0.0 : channel.radius);
  }
  const Matrix latents = random_latents(12);
  const energy::PosteriorEnergy expected(
      vae, energy::minimum_observation(vae.likelihood(), images, energy::BallNorm::linf, problem.radii));
  EXPECT_EQ(values_of(*problem.energy, latents, 1), values_of(expected, latents, 1));
}

TEST(Reading, AChannelIsThatOfTheRepair) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(6);
  const Matrix latents = random_latents(6);
  for (const double radius : {0.0, kRadius}) {
    const ReadingOptions options{.reading = Reading::channel, .radius = radius};
    const Problem problem = read_images(vae, images, options, 1);
    const Repaired repaired = repair(vae, images, options, 8, 1);
    EXPECT_EQ(problem.images, repaired.images);
    const auto model = std::make_shared<const energy::ChannelModel>(*vae.layers()->weights().pixel_law);
    const energy::PosteriorEnergy expected(vae, energy::channel_observation(model, images, repaired.channels));
    EXPECT_EQ(values_of(*problem.energy, latents, 1), values_of(expected, latents, 1));
    for (std::size_t b = 0; b < 6 && radius > 0.0; ++b) {
      EXPECT_EQ(problem.radii[b], radius);
      EXPECT_EQ(repaired.channels[b].radius, radius);
    }
  }
}

TEST(Reading, WhatNeedsAPixelLawSaysSo) {
  const models::Vae vae = without_law();
  const Matrix images = level_images(2);
  const std::vector<std::string> words{"[defences.reading] the model must have a pixel law, it has none",
                                       "vaeguard train"};
  expect_misuse([&] { static_cast<void>(repair(vae, images, {}, 8, 1)); }, words);
  expect_misuse([&] { static_cast<void>(read_images(vae, images, {.reading = Reading::channel}, 1)); }, words);
  expect_misuse([&] { static_cast<void>(read_images(vae, images, {.reading = Reading::minimum}, 1)); }, words);
}

TEST(Reading, BadOptionsAndImagesAreRefusedByName) {
  const auto refuse = [](const ReadingOptions& options, const std::string& text) {
    expect_misuse([&] { validate(options); }, {"[defences.reading] " + text});
  };
  refuse({.radius = -0.1}, "radius must be in [0, 1], 0 to find it for each image, got -0.1");
  refuse({.radius = 1.5}, "radius must be in [0, 1], 0 to find it for each image, got 1.5");
  refuse({.radius = std::nan("")}, "radius must be in [0, 1], 0 to find it for each image, got nan");
  refuse({.largest_radius = 0.0}, "largest_radius must be in (0, 1], got 0");
  refuse({.largest_radius = std::nan("")}, "largest_radius must be in (0, 1], got nan");
  const std::string l2 = "norm l2 needs the reading minimum and a radius";
  refuse({.reading = Reading::minimum, .norm = energy::BallNorm::l2}, l2);
  refuse({.reading = Reading::channel, .norm = energy::BallNorm::l2, .radius = 0.1}, l2);
  EXPECT_NO_THROW(validate(ReadingOptions{.reading = Reading::minimum, .norm = energy::BallNorm::l2, .radius = 0.1}));
  const models::Vae vae(small_weights());
  for (const Reading reading : {Reading::exact, Reading::minimum, Reading::channel, Reading::directed}) {
    const ReadingOptions options{.reading = reading, .radius = 0.1};
    Matrix images = level_images(2);
    EXPECT_THROW(static_cast<void>(read_images(vae, Matrix(2, kSmallPixels - 1), options, 1)), Misuse);
    images(1, 3) = std::numeric_limits<float>::quiet_NaN();
    EXPECT_THROW(static_cast<void>(read_images(vae, images, options, 1)), Misuse);
  }
}

TEST(Repair, GivesEachImageTheSameResultInAnyBatchOrderAndNumberOfThreads) {
  constexpr std::int64_t kAll = 64;
  const models::Vae vae(small_weights());
  const Matrix images = level_images(kAll);
  const ReadingOptions options{.reading = Reading::channel};
  const Repaired whole = repair(vae, images, options, 8, 1);
  const auto expect_rows = [&](const Repaired& part, std::int64_t first) {
    EXPECT_EQ(part.images, whole.images.slice(first, part.images.rows()));
    EXPECT_EQ(part.encoding.mean, whole.encoding.mean.slice(first, part.images.rows()));
    for (std::size_t b = 0; b < part.channels.size(); ++b) {
      EXPECT_TRUE(same(part.channels[b], whole.channels[static_cast<std::size_t>(first) + b]));
    }
  };
  expect_rows(repair(vae, images, options, 8, 2), 0);
  for (const std::int64_t batch : {1, 7}) {
    for (std::int64_t first = 0; first < kAll; first += batch) {
      expect_rows(repair(vae, images.slice(first, std::min(batch, kAll - first)), options, 8, 2), first);
    }
  }
  const auto order = permutation(Key(9), kAll);
  const Repaired shuffled = repair(vae, images.gather(order), options, 8, 1);
  EXPECT_EQ(shuffled.images, whole.images.gather(order));
  EXPECT_EQ(shuffled.encoding.mean, whole.encoding.mean.gather(order));
}

TEST(Repair, ImagesOutsideTheRangeAreReadAsTheNearestInside) {
  const models::Vae vae(small_weights());
  Matrix images = level_images(3);
  const Repaired inside = repair(vae, images, {}, 2, 1);
  for (float& x : images.flat()) {
    x = x == 0.0F ? -40.0F : x == 1.0F ? 70.0F : x;
  }
  const Repaired outside = repair(vae, images, {}, 2, 1);
  EXPECT_EQ(outside.images, inside.images);
  for (std::size_t b = 0; b < 3; ++b) {
    EXPECT_EQ(outside.channels[b].radius, inside.channels[b].radius);
  }
}

TEST(Repair, ExpectedImagesAreTheObservationsForTheDecodersOutputs) {
  const models::Vae vae(small_weights());
  const Problem problem = read_images(vae, level_images(5), {.reading = Reading::channel}, 1);
  const Matrix latents = random_latents(2);
  const Matrix found = expected_images(vae, *problem.observation, 3, latents);
  const Matrix outputs = networks::forward_all(vae.layers()->decoder(), latents, 1);
  for (std::int64_t b = 0; b < 2; ++b) {
    std::vector<float> expected(kSmallPixels);
    problem.observation->true_image(3 + b, outputs.row(b), expected);
    EXPECT_TRUE(std::ranges::equal(found.row(b), expected));
  }
}

/// The trained VAE of the zoo with images that are draws of its pixel law at codes from the prior, and what an
/// attacker makes of them who pushes the encoder's mean away by the gradient's sign.
class TrainedRepair : public testing::Test {
 protected:
  static constexpr std::int64_t kImages = 12;

  TrainedRepair()
      : vae_(models::load_checkpoint(VAEGUARD_SOURCE_DIR "/zoo/mnist_vae.safetensors").vae), clean_(kImages, 784) {
    const models::PixelLaw& law = *vae_.layers()->weights().pixel_law;
    const Matrix codes = networks::random_matrix(Key(12), kImages, vae_.latent_size());
    const Matrix outputs = networks::forward_all(vae_.layers()->decoder(), codes, 1);
    Stream stream(Key(13));
    for (std::size_t i = 0; i < outputs.values().size(); ++i) {
      const std::int64_t node = std::lround(law.position(outputs.values()[i]));
      clean_.data()[i] = static_cast<float>(models::draw_level(law, node, stream)) / 255.0F;
    }
  }

  [[nodiscard]] Matrix attacked(float radius) const {
    const Matrix means = vae_.encode(clean_).mean;
    Matrix images = clean_;
    const auto tape = vae_.layers()->encoder().make_tape();
    Matrix noise(kImages, 784);
    fill_uniform(Key(14), -0.5F, 0.5F, noise.flat());
    for (int step = 0; step < 20; ++step) {
      Matrix outputs;
      Matrix gradient;
      vae_.layers()->encoder().forward(images, outputs, *tape);
      Matrix output_gradient(kImages, outputs.columns());
      for (std::int64_t b = 0; b < kImages; ++b) {
        for (std::int64_t d = 0; d < vae_.latent_size(); ++d) {
          output_gradient(b, d) = outputs(b, d) - means(b, d);
        }
      }
      vae_.layers()->encoder().backward(output_gradient, gradient, *tape);
      for (std::size_t i = 0; i < images.values().size(); ++i) {
        // At the clean image itself the gradient is 0, so noise takes the first step.
        const float direction = step == 0 ? noise.values()[i] : gradient.values()[i];
        const float clean = clean_.values()[i];
        const float moved = images.values()[i] + std::copysign(0.25F * radius, direction);
        images.data()[i] = std::clamp(std::clamp(moved, clean - radius, clean + radius), 0.0F, 1.0F);
      }
    }
    return images;
  }

  /// Mean distance of each row to the encoder's mean of the clean image.
  [[nodiscard]] double distance(const Matrix& latents) const {
    const Matrix means = vae_.encode(clean_).mean;
    double sum = 0.0;
    for (std::int64_t b = 0; b < kImages; ++b) {
      double squares = 0.0;
      for (std::int64_t d = 0; d < means.columns(); ++d) {
        squares += std::pow(latents(b, d) - means(b, d), 2);
      }
      sum += std::sqrt(squares) / kImages;
    }
    return sum;
  }

  models::Vae vae_;
  Matrix clean_;
};

TEST_F(TrainedRepair, UndoesMostOfAnAttack) {
  for (const float radius : {26.0F / 255.0F, 51.0F / 255.0F}) {
    const Matrix images = attacked(radius);
    const Repaired repaired = repair(vae_, images, {.reading = Reading::channel}, 8, 2);
    const double before = distance(vae_.encode(images).mean);
    const double after = distance(repaired.encoding.mean);
    EXPECT_GT(before, 4.0);
    EXPECT_LT(after, 0.5 * before) << radius;
    for (const energy::Channel& channel : repaired.channels) {
      EXPECT_NEAR(channel.radius, radius, 3.0 / 255.0);
      EXPECT_LT(channel.untouched, 0.6);
    }
  }
}

TEST_F(TrainedRepair, ADirectionUndoesMoreOfAnAttack) {
  const Matrix images = attacked(26.0F / 255.0F);
  const Repaired channel = repair(vae_, images, {.reading = Reading::channel}, 8, 2);
  const Repaired directed = repair(vae_, images, {.reading = Reading::directed}, 8, 2);
  EXPECT_LT(distance(directed.encoding.mean), 0.8 * distance(channel.encoding.mean));
  for (std::int64_t b = 0; b < kImages; ++b) {
    EXPECT_TRUE(channel.channels[static_cast<std::size_t>(b)].up.empty());
    EXPECT_EQ(std::ssize(directed.channels[static_cast<std::size_t>(b)].up), 784);
    const Repaired alone = repair(vae_, images.slice(b, 1), {.reading = Reading::directed}, 8, 1);
    EXPECT_EQ(alone.images, directed.images.slice(b, 1));
    EXPECT_TRUE(same(alone.channels[0], directed.channels[static_cast<std::size_t>(b)]));
  }
}

TEST_F(TrainedRepair, ADirectionReadsImagesOutsideTheRangeAsTheNearestInside) {
  Matrix images = attacked(26.0F / 255.0F);
  const Repaired inside = repair(vae_, images, {.reading = Reading::directed}, 8, 2);
  for (float& x : images.flat()) {
    x = x == 0.0F ? -40.0F : x == 1.0F ? 70.0F : x;
  }
  const Repaired outside = repair(vae_, images, {.reading = Reading::directed}, 8, 2);
  EXPECT_EQ(outside.images, inside.images);
}

TEST_F(TrainedRepair, NoDirectionIsSeenInNoiseOrInCleanImages) {
  constexpr float kNoise = 26.0F / 255.0F;
  Matrix noise(kImages, 784);
  fill_uniform(Key(15), -1.0F, 1.0F, noise.flat());
  Matrix noisy = clean_;
  for (std::size_t i = 0; i < noisy.values().size(); ++i) {
    noisy.data()[i] = std::clamp(clean_.values()[i] + std::copysign(kNoise, noise.values()[i]), 0.0F, 1.0F);
  }
  for (const Matrix& images : {noisy, clean_}) {
    const Repaired repaired = repair(vae_, images, {.reading = Reading::directed}, 8, 2);
    const auto directions =
        std::ranges::count_if(repaired.channels, [](const energy::Channel& channel) { return !channel.up.empty(); });
    EXPECT_LE(directions, 1);  // of twelve; 3 nats of held-out evidence for nothing are rarer than one in a hundred
  }
}

TEST_F(TrainedRepair, ADirectedReadingHasTheEnergyOfItsChannels) {
  const Matrix images = attacked(26.0F / 255.0F);
  const ReadingOptions options{.reading = Reading::directed};
  const Problem problem = read_images(vae_, images, options, 2);
  const Repaired repaired = repair(vae_, images, options, 8, 1);
  const auto model = std::make_shared<const energy::ChannelModel>(*vae_.layers()->weights().pixel_law);
  const energy::PosteriorEnergy expected(vae_, energy::channel_observation(model, images, repaired.channels));
  const Matrix latents = networks::random_matrix(Key(16), kImages, vae_.latent_size());
  EXPECT_EQ(values_of(*problem.energy, latents, 1), values_of(expected, latents, 1));
  EXPECT_EQ(problem.images, repaired.images);
}

TEST_F(TrainedRepair, LeavesCleanImagesNearlyAsTheyAre) {
  const Repaired repaired = repair(vae_, clean_, {.reading = Reading::channel}, 8, 2);
  for (const energy::Channel& channel : repaired.channels) {
    EXPECT_GT(channel.untouched, 0.8);
  }
  double change = 0.0;
  for (std::size_t i = 0; i < clean_.values().size(); ++i) {
    change += std::abs(clean_.values()[i] - repaired.images.values()[i]);
  }
  EXPECT_LT(change / static_cast<double>(clean_.values().size()), 0.01);
}

}  // namespace
}  // namespace vaeguard::defences
