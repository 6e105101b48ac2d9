// Repair by encoder and pixel law: what it undoes and leaves alone, and independence of batch and threads.
#include "vaeguard/defences/channel_repair.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/defences/attacked_digits.h"
#include "tests/defences/fixtures.h"
#include "tests/expect_misuse.h"
#include "vaeguard/defences/channel_observation.h"
#include "vaeguard/energy/posterior.h"

namespace vaeguard::defences {
namespace {

bool same(const energy::Channel& a, const energy::Channel& b) {
  return a.radius == b.radius && a.untouched == b.untouched && a.uniform == b.uniform && a.extreme == b.extreme &&
         a.up == b.up;
}

TEST(Repair, NeedsAPixelLaw) {
  expect_misuse([] { static_cast<void>(repair(without_law(), level_images(2), {}, 8, 1)); },
                {"[defences.channel_repair] the model must have a pixel law, it has none", "vaeguard train"});
}

TEST(Repair, BadOptionsAndImagesAreRefusedByName) {
  const models::Vae vae(small_weights());
  const auto refuse = [&](const Radius& radius, const std::string& text) {
    expect_misuse([&] { static_cast<void>(repair(vae, level_images(2), {.radius = radius}, 8, 1)); },
                  {"[defences.channel_repair] " + text});
  };
  refuse({.given = -0.1}, "radius must be a number from 0 to 1 or \"attack\", got -0.1");
  refuse({.given = 1.5}, "radius must be a number from 0 to 1 or \"attack\", got 1.5");
  refuse({.given = std::nan("")}, "radius must be a number from 0 to 1 or \"attack\", got nan");
  refuse({.largest = 0.0}, "largest_radius must be a number above 0 up to 1, got 0");
  refuse({.largest = std::nan("")}, "largest_radius must be a number above 0 up to 1, got nan");
  Matrix images = level_images(2);
  EXPECT_THROW(static_cast<void>(repair(vae, Matrix(2, kSmallPixels - 1), {}, 8, 1)), Misuse);
  images(1, 3) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(static_cast<void>(repair(vae, images, {}, 8, 1)), Misuse);
}

TEST(Repair, GivesEachImageTheSameResultInAnyBatchOrderAndNumberOfThreads) {
  constexpr std::int64_t kAll = 64;
  const models::Vae vae(small_weights());
  const Matrix images = level_images(kAll);
  const ChannelFit options{};
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

TEST_F(AttackedDigits, UndoesMostOfAnAttack) {
  for (const float radius : {26.0F / 255.0F, 51.0F / 255.0F}) {
    const Matrix images = attacked(radius);
    const Repaired repaired = repair(vae_, images, {}, 8, 2);
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

TEST_F(AttackedDigits, ADirectionUndoesMoreOfAnAttack) {
  const Matrix images = attacked(26.0F / 255.0F);
  const Repaired channel = repair(vae_, images, {}, 8, 2);
  const Repaired directed = repair(vae_, images, {.directed = true}, 8, 2);
  EXPECT_LT(distance(directed.encoding.mean), 0.8 * distance(channel.encoding.mean));
  for (std::int64_t b = 0; b < kImages; ++b) {
    EXPECT_TRUE(channel.channels[static_cast<std::size_t>(b)].up.empty());
    EXPECT_EQ(std::ssize(directed.channels[static_cast<std::size_t>(b)].up), 784);
    const Repaired alone = repair(vae_, images.slice(b, 1), {.directed = true}, 8, 1);
    EXPECT_EQ(alone.images, directed.images.slice(b, 1));
    EXPECT_TRUE(same(alone.channels[0], directed.channels[static_cast<std::size_t>(b)]));
  }
}

TEST_F(AttackedDigits, ADirectionReadsImagesOutsideTheRangeAsTheNearestInside) {
  Matrix images = attacked(26.0F / 255.0F);
  const Repaired inside = repair(vae_, images, {.directed = true}, 8, 2);
  for (float& x : images.flat()) {
    x = x == 0.0F ? -40.0F : x == 1.0F ? 70.0F : x;
  }
  const Repaired outside = repair(vae_, images, {.directed = true}, 8, 2);
  EXPECT_EQ(outside.images, inside.images);
}

TEST_F(AttackedDigits, NoDirectionIsSeenInNoiseOrInCleanImages) {
  constexpr float kNoise = 26.0F / 255.0F;
  Matrix noise(kImages, 784);
  fill_uniform(Key(15), -1.0F, 1.0F, noise.flat());
  Matrix noisy = clean_;
  for (std::size_t i = 0; i < noisy.values().size(); ++i) {
    noisy.data()[i] = std::clamp(clean_.values()[i] + std::copysign(kNoise, noise.values()[i]), 0.0F, 1.0F);
  }
  for (const Matrix& images : {noisy, clean_}) {
    const Repaired repaired = repair(vae_, images, {.directed = true}, 8, 2);
    const auto directions =
        std::ranges::count_if(repaired.channels, [](const energy::Channel& channel) { return !channel.up.empty(); });
    EXPECT_LE(directions, 1);  // of twelve; 3 nats of held-out evidence for nothing are rarer than one in a hundred
  }
}

TEST_F(AttackedDigits, ItsDirectedChannelsMakeTheEnergyOfThatObservationModel) {
  const Matrix images = attacked(26.0F / 255.0F);
  const PosteriorProblem problem = ChannelObservation{.directed = true}.pose(vae_, images, {.threads = 2});
  const Repaired repaired = repair(vae_, images, {.directed = true}, 8, 1);
  const energy::PosteriorEnergy expected(vae_, energy::channel_observation(repaired.model, images, repaired.channels));
  const Matrix latents = networks::random_matrix(Key(16), kImages, vae_.latent_size());
  EXPECT_EQ(values_of(*problem.energy, latents, 1), values_of(expected, latents, 1));
  EXPECT_EQ(problem.images, repaired.images);
}

TEST_F(AttackedDigits, LeavesCleanImagesNearlyAsTheyAre) {
  const Repaired repaired = repair(vae_, clean_, {}, 8, 2);
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
