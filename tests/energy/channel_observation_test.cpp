// Pixels through a channel: the tabulated energy against the mixed mass in double, and its gradient.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "tests/expect_misuse.h"
#include "tests/models/made_up_law.h"
#include "vaeguard/energy/observation.h"

namespace vaeguard::energy {
namespace {

const Channel kChannel{26.0 / 255.0, 0.15, 0.15, 0.7};

std::shared_ptr<const ChannelModel> model() {
  static const auto made = std::make_shared<const ChannelModel>(models::made_up_law());
  return made;
}

/// Images of whole levels, many of them black or white, and some between levels.
Matrix level_images(Key key, std::int64_t count, std::int64_t pixels) {
  Matrix images(count, pixels);
  fill_uniform(key, -128.0F, 383.0F, images.flat());
  for (std::int64_t i = 0; i < count * pixels; ++i) {
    float& x = images.data()[i];
    x = std::clamp((i % 5 == 0 ? x : std::round(x)) / 255.0F, 0.0F, 1.0F);
  }
  return images;
}

double exact_energy(const Channel& channel, double x, double parameter) {
  return -std::log(mixed(channel, model()->terms_at(x, channel.radius, parameter).mass));
}

/// The cubic of Catmull and Rom through the nodes, in double, and its slope; constant beyond the nodes.
double spline(const Channel& channel, double x, double parameter, double* slope) {
  const models::PixelLaw& law = model()->law();
  const double position = law.position(parameter);
  const auto node = std::min<std::int64_t>(static_cast<std::int64_t>(position), law.nodes() - 2);
  const double t = position - static_cast<double>(node);
  const auto f = [&](std::int64_t k) {
    return -std::log(
        mixed(channel, model()->terms(x, channel.radius, std::clamp<std::int64_t>(node + k, 0, law.nodes() - 1)).mass));
  };
  // Hermite form: the slope at a node is half the difference of its neighbours.
  const double m1 = 0.5 * (f(1) - f(-1));
  const double m2 = 0.5 * (f(2) - f(0));
  *slope =
      ((6 * t * t - 6 * t) * (f(0) - f(1)) + (3 * t * t - 4 * t + 1) * m1 + (3 * t * t - 2 * t) * m2) / law.spacing;
  return (2 * t * t * t - 3 * t * t + 1) * f(0) + (t * t * t - 2 * t * t + t) * m1 +
         (3 * t * t - 2 * t * t * t) * f(1) + (t * t * t - t * t) * m2;
}

/// One pixel's energy and slope by the observation.
double observed(float x, float parameter, float* slope) {
  const auto observation = channel_observation(model(), Matrix(1, 1, x), {kChannel});
  return observation->negative_log(0, {&parameter, 1}, {slope, 1});
}

TEST(ChannelObservation, AtTheNodesItIsTheLogarithmOfTheMixedMass) {
  const Matrix images = level_images(Key(1), 1, 40);
  for (std::int64_t i = 0; i < 40; ++i) {
    for (std::int64_t node = 0; node < model()->nodes(); ++node) {
      const auto parameter = static_cast<float>(model()->law().parameter(node));
      float slope = 0.0F;
      const double expected = exact_energy(kChannel, images(0, i), parameter);
      // One rounding of a number up to 20 to float.
      EXPECT_NEAR(observed(images(0, i), parameter, &slope), expected, 6e-8 * (1.0 + std::abs(expected)));
    }
  }
}

TEST(ChannelObservation, BetweenTheNodesItIsTheirCubic) {
  const Matrix images = level_images(Key(2), 1, 40);
  std::vector<float> parameters(50);
  fill_uniform(Key(3), -7.95F, 7.95F, parameters);
  double farthest = 0.0;
  for (std::int64_t i = 0; i < 40; ++i) {
    for (const float parameter : parameters) {
      float slope = 0.0F;
      double expected_slope = 0.0;
      const double expected = spline(kChannel, images(0, i), parameter, &expected_slope);
      // Roundings of values up to 20 to float in a handful of operations, and of the position by 4e-6 times a slope.
      EXPECT_NEAR(observed(images(0, i), parameter, &slope), expected, 1e-5);
      EXPECT_NEAR(slope, expected_slope, 5e-5);
      farthest = std::max(farthest, std::abs(expected - exact_energy(kChannel, images(0, i), parameter)));
    }
  }
  // Against the logarithm of a mass that is linear between the nodes, which bends at each: with spacing h and energies
  // whose slope changes by at most 1 nat over a unit of the logit, h^2 / 8 = 0.03.
  EXPECT_LT(farthest, 0.03);
  EXPECT_GT(farthest, 0.0);
}

TEST(ChannelObservation, ItsGradientAgreesWithFiniteDifferences) {
  constexpr float kStep = 0x1p-6F;
  const Matrix images = level_images(Key(4), 1, 20);
  std::vector<float> parameters(30);
  fill_uniform(Key(5), -7.9F, 7.9F, parameters);
  for (std::int64_t i = 0; i < 20; ++i) {
    for (const float parameter : parameters) {
      float slope = 0.0F;
      float ignored = 0.0F;
      static_cast<void>(observed(images(0, i), parameter, &slope));
      const double difference =
          (observed(images(0, i), parameter + kStep, &ignored) - observed(images(0, i), parameter - kStep, &ignored)) /
          (2.0 * kStep);
      // Values err by 4e-6, over 2 h: 1.3e-4. Second derivatives jump at nodes, by no more than 1, which shows as h
      // / 4.
      EXPECT_NEAR(slope, difference, 5e-3) << parameter;
    }
  }
}

TEST(ChannelObservation, EveryPixelHasItsOwnWay) {
  Matrix images = level_images(Key(8), 1, 40);
  images(0, 1) = images(0, 0);  // alike but for the way
  Channel channel = kChannel;
  channel.up.assign(40, 0.5F);
  channel.up[0] = 0.99F;
  channel.up[1] = 0.01F;
  const auto observation = channel_observation(model(), images, {channel});
  std::vector<float> parameters(40, static_cast<float>(model()->law().parameter(17)));
  double expected = 0.0;
  for (std::size_t i = 0; i < 40; ++i) {
    const auto terms = model()->terms_at(images.row(0)[i], channel.radius, parameters[i], channel.up_at(i));
    expected -= std::log(mixed(channel, terms.mass));
  }
  EXPECT_NEAR(observation->negative_log(0, parameters, {}), expected, 1e-5 * expected);
  channel.up.resize(39);
  expect_misuse([&] { channel_observation(model(), images, {channel}); },
                {"a channel must know the ways of all 40 pixels or of none, got 39"});
}

TEST(ChannelObservation, BeyondTheNodesItIsConstant) {
  for (const float x : {0.0F, 0.1F, 0.7F, 1.0F}) {
    for (const float sign : {-1.0F, 1.0F}) {
      float slope = 1.0F;
      const double last = observed(x, sign * 8.0F, &slope);
      for (const float far : {8.001F, 20.0F, 1e30F, std::numeric_limits<float>::infinity()}) {
        slope = 1.0F;
        EXPECT_EQ(observed(x, sign * far, &slope), last) << x << " " << sign * far;
        EXPECT_EQ(slope, 0.0F);
      }
    }
  }
}

TEST(ChannelObservation, AnImageIsTheSumOfItsPixelsAndTheGradientAloneIsTheSame) {
  const Matrix images = level_images(Key(6), 3, 100);
  const std::vector<Channel> channels{kChannel, {51.0 / 255.0, 0.5, 0.25, 0.25}, {1.0 / 255.0, 1.0, 0.0, 0.0}};
  const auto observation = channel_observation(model(), images, channels);
  EXPECT_EQ(observation->size(), 3);
  for (std::int64_t b = 0; b < 3; ++b) {
    std::vector<float> parameters(100);
    fill_uniform(Key(7).fold(static_cast<std::uint64_t>(b)), -9.0F, 9.0F, parameters);
    std::vector<float> gradient(100);
    std::vector<float> alone(100);
    const double energy = observation->negative_log(b, parameters, gradient);
    observation->gradient(b, parameters, alone);
    EXPECT_EQ(alone, gradient);
    EXPECT_EQ(observation->negative_log(b, parameters, {}), energy);
    double sum = 0.0;
    double slope = 0.0;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      sum += spline(channels[static_cast<std::size_t>(b)], images.row(b)[i], parameters[i], &slope);
    }
    EXPECT_NEAR(energy, sum, 100 * 1e-5);  // a pixel's error as above
  }
}

TEST(ChannelObservation, TheTrueImageIsTheOneThatTheChannelExpects) {
  const Matrix images = level_images(Key(8), 2, 60);
  const Channel other{13.0 / 255.0, 0.4, 0.3, 0.3};
  const auto observation = channel_observation(model(), images, {kChannel, other});
  std::vector<float> parameters(60);
  fill_uniform(Key(9), -9.0F, 9.0F, parameters);
  for (std::int64_t b = 0; b < 2; ++b) {
    std::vector<float> found(60);
    std::vector<float> expected(60);
    observation->true_image(b, parameters, found);
    model()->expected_image(images.row(b), parameters, b == 0 ? kChannel : other, expected);
    EXPECT_EQ(found, expected);
  }
}

TEST(ChannelObservation, OutputsThatAreNoNumbersGiveEnergiesThatAreNone) {
  const auto observation = channel_observation(model(), level_images(Key(10), 1, 10), {kChannel});
  std::vector<float> parameters(10, 0.5F);
  parameters[4] = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> image(10);
  EXPECT_TRUE(std::isnan(observation->negative_log(0, parameters, {})));
  observation->true_image(0, parameters, image);
  EXPECT_TRUE(std::isnan(image[4]));
  EXPECT_TRUE(std::isfinite(image[5]));
}

TEST(ChannelObservation, WhatDoesNotFitTogetherIsRefused) {
  expect_misuse([] { channel_observation(model(), Matrix(2, 3), {kChannel}); },
                {"[energy.observation] channels must number 2, one an image, got 1"});
  expect_misuse([] { channel_observation(model(), Matrix(1, 3, std::nanf("")), {kChannel}); },
                {"[energy.observation] images"});
}

}  // namespace
}  // namespace vaeguard::energy
