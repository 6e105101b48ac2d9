// Images under Gaussian noise, against plain sums in double: about the decoder's mean image and about a pixel law.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>
#include <vector>

#include "tests/energy/observation_fixtures.h"
#include "tests/expect_misuse.h"
#include "tests/models/made_up_law.h"
#include "vaeguard/energy/observation.h"

namespace vaeguard::energy {
namespace {

constexpr std::size_t kPixels = 60;

double normal_energy(double x, double centre, double scale) {
  return 0.5 * std::pow((x - centre) / scale, 2) + 0.5 * std::log(2.0 * std::numbers::pi * scale * scale);
}

double mean_of(const models::Likelihood& likelihood, double parameter) {
  return likelihood.name() == "bernoulli" ? 1.0 / (1.0 + std::exp(-parameter)) : parameter;
}

std::shared_ptr<const models::PixelLaw> law() {
  static const auto made = std::make_shared<const models::PixelLaw>(models::made_up_law());
  return made;
}

/// sum_v v^power p(v) N(x; v, s^2) at a node, v in units of the pixel range.
double law_sum(const models::PixelLaw& of, double x, double scale, std::int64_t node, int power) {
  double sum = 0.0;
  for (std::int64_t level = 0; level < models::PixelLaw::kLevels; ++level) {
    const double v = static_cast<double>(level) / 255.0;
    sum += std::pow(v, power) * of.probability(node, level) * std::exp(-normal_energy(x, v, scale));
  }
  return sum;
}

double energy_at(const Observation& observation, float parameter, float* slope) {
  return observation.negative_log(0, {&parameter, 1}, {slope, 1});
}

double difference_at(const Observation& observation, float parameter, float step) {
  float ignored = 0.0F;
  return (energy_at(observation, parameter + step, &ignored) - energy_at(observation, parameter - step, &ignored)) /
         (2.0 * step);
}

TEST(GaussianObservation, IsTheSquaredDistanceToTheMeanImageWithItsConstants) {
  const Matrix images = mixed_images(Key(1), 2, kPixels);
  const std::vector<double> scales{0.1, 0.4};
  for (const models::Likelihood& likelihood : kLikelihoods) {
    const auto observation = gaussian_observation(likelihood, images, scales);
    const auto parameters = random_outputs(Key(2), likelihood, kPixels);
    for (std::int64_t b = 0; b < 2; ++b) {
      const double scale = scales[static_cast<std::size_t>(b)];
      double expected = 0.0;
      for (std::size_t i = 0; i < kPixels; ++i) {
        expected += normal_energy(images.row(b)[i], mean_of(likelihood, parameters[i]), scale);
      }
      // The mean in float errs by 2e-7, times a slope of |m - x| / s^2 <= 300.
      EXPECT_NEAR(observation->negative_log(b, parameters, {}), expected, 6e-5 * std::sqrt(kPixels)) << scale;
    }
  }
}

TEST(GaussianObservation, OfAGaussianLikelihoodWithThatVarianceIsTheLikelihoodItself) {
  const Matrix images = mixed_images(Key(3), 1, kPixels);
  const models::Likelihood likelihood = models::gaussian(0.09);
  const auto observation = gaussian_observation(likelihood, images, {0.3});
  const auto parameters = random_outputs(Key(4), likelihood, kPixels);
  std::vector<float> gradient(kPixels);
  std::vector<float> expected(kPixels);
  const double energy = observation->negative_log(0, parameters, gradient);
  EXPECT_NEAR(energy, likelihood.negative_log(images.row(0), parameters, expected), 1e-12 * std::abs(energy));
  for (std::size_t i = 0; i < kPixels; ++i) {
    EXPECT_NEAR(gradient[i], expected[i], 1e-7 * std::abs(expected[i]));
  }
}

TEST(GaussianObservation, ItsGradientAgreesWithFiniteDifferences) {
  constexpr float kStep = 0x1p-7F;
  for (const models::Likelihood& likelihood : kLikelihoods) {
    for (const float x : {0.0F, 0.3F, 1.0F}) {
      const auto observation = gaussian_observation(likelihood, Matrix(1, 1, x), {0.4});
      for (const float parameter : random_outputs(Key(5), likelihood, 30)) {
        float slope = 0.0F;
        static_cast<void>(energy_at(*observation, parameter, &slope));
        const double difference = difference_at(*observation, parameter, kStep);
        // Means err by 2e-7, times a slope of at most 15, over 2 h: 2e-4. The third derivative, below 3, adds h^2 / 2.
        EXPECT_NEAR(slope, difference, 4e-4) << likelihood.name() << " " << x << " " << parameter;
      }
    }
  }
}

TEST(GaussianObservation, ItsCurvatureHasTheSecondDerivativeOfTheMean) {
  const auto observation = gaussian_observation(models::bernoulli(), Matrix(1, 1, 1.0F), {0.5});
  const float logit = -2.0F;  // black is far from the white pixel: the energy bends downwards
  float curvature = 0.0F;
  observation->curvature(0, {&logit, 1}, {&curvature, 1});
  const double m = 1.0 / (1.0 + std::exp(2.0));
  const double slope = m * (1.0 - m);
  const double expected = (slope * slope + (m - 1.0) * slope * (1.0 - 2.0 * m)) / 0.25;
  EXPECT_NEAR(curvature, expected, 1e-6);
  EXPECT_LT(curvature, 0.0F);
}

TEST(GaussianObservation, TheTrueImageIsTheMeanImageWithinTheRange) {
  const auto observation = gaussian_observation(models::gaussian(1.0), Matrix(1, 3, 0.5F), {0.2});
  std::vector<float> image(3);
  observation->true_image(0, std::vector<float>{-0.1F, 0.7F, 1.2F}, image);
  EXPECT_EQ(image, (std::vector<float>{0.0F, 0.7F, 1.0F}));
}

TEST(LawObservation, AtTheNodesItIsTheLogarithmOfTheSum) {
  for (const double scale : {0.02, 0.2, 0.8}) {
    for (const float x : {0.0F, 0.1F, 77.0F / 255.0F, 0.5031F, 1.0F}) {
      const auto observation = law_observation(law(), Matrix(1, 1, x), {scale});
      for (std::int64_t node = 0; node < law()->nodes(); ++node) {
        float slope = 0.0F;
        const double expected = -std::log(law_sum(*law(), x, scale, node, 0));
        // Weights of levels err by 5e-6 at most, and the table by one rounding of numbers below 10.
        EXPECT_NEAR(energy_at(*observation, static_cast<float>(law()->parameter(node)), &slope), expected, 6e-6)
            << scale << " " << x;
      }
    }
  }
}

TEST(LawObservation, BetweenTheNodesItIsNearTheSumOverALinearLaw) {
  std::vector<float> parameters(50);
  fill_uniform(Key(6), -7.95F, 7.95F, parameters);
  for (const float x : {0.0F, 0.3F, 1.0F}) {
    const auto observation = law_observation(law(), Matrix(1, 1, x), {0.2});
    for (const float parameter : parameters) {
      const double position = law()->position(parameter);
      const auto node = static_cast<std::int64_t>(position);
      const double share = position - static_cast<double>(node);
      const double mass =
          (1.0 - share) * law_sum(*law(), x, 0.2, node, 0) + share * law_sum(*law(), x, 0.2, node + 1, 0);
      float slope = 0.0F;
      // With spacing h and a slope that changes by at most 1 nat over a unit of the logit: h^2 / 8 = 0.03.
      EXPECT_NEAR(energy_at(*observation, parameter, &slope), -std::log(mass), 0.03);
    }
  }
}

TEST(LawObservation, ItsGradientAgreesWithFiniteDifferences) {
  constexpr float kStep = 0x1p-6F;
  std::vector<float> parameters(30);
  fill_uniform(Key(7), -7.9F, 7.9F, parameters);
  for (const float x : {0.0F, 0.3F, 1.0F}) {
    const auto observation = law_observation(law(), Matrix(1, 1, x), {0.2});
    for (const float parameter : parameters) {
      float slope = 0.0F;
      static_cast<void>(energy_at(*observation, parameter, &slope));
      const double difference = difference_at(*observation, parameter, kStep);
      // As for a channel, whose cubic it shares.
      EXPECT_NEAR(slope, difference, 5e-3) << x << " " << parameter;
    }
  }
}

TEST(LawObservation, TheTrueImageIsTheExpectedLevel) {
  Matrix images = mixed_images(Key(8), 1, kPixels);
  images(0, 1) = images(0, 0);
  const double scale = 0.15;
  const auto observation = law_observation(law(), images, {scale});
  std::vector<float> parameters(kPixels);
  fill_uniform(Key(9), -9.0F, 9.0F, parameters);
  std::vector<float> found(kPixels);
  observation->true_image(0, parameters, found);
  for (std::size_t i = 0; i < kPixels; ++i) {
    const float x = images.row(0)[i];
    const double position = law()->position(parameters[i]);
    const auto node = std::min(static_cast<std::int64_t>(position), law()->nodes() - 2);
    const double share = position - static_cast<double>(node);
    const auto sum = [&](int power) {
      return (1.0 - share) * law_sum(*law(), x, scale, node, power) +
             share * law_sum(*law(), x, scale, node + 1, power);
    };
    EXPECT_NEAR(found[i], sum(1) / sum(0), 2e-5);
  }
}

// The mean over pixels of E[(x - v)^2 | x, a], summed over levels one by one.
TEST(LawObservation, TheExpectedNoiseIsTheSecondMomentAboutTheObservedImage) {
  Matrix images = mixed_images(Key(8), 1, kPixels);
  images(0, 1) = images(0, 0);
  std::vector<float> parameters(kPixels);
  fill_uniform(Key(9), -9.0F, 9.0F, parameters);
  std::vector<float> unused(kPixels);
  for (const double scale : {0.05, 0.15, 0.6}) {
    double expected = 0.0;
    for (std::size_t i = 0; i < kPixels; ++i) {
      const double x = images.row(0)[i];
      const double position = law()->position(parameters[i]);
      const auto node = std::min(static_cast<std::int64_t>(position), law()->nodes() - 2);
      const double share = position - static_cast<double>(node);
      const auto sum = [&](int power) {
        return (1.0 - share) * law_sum(*law(), images.row(0)[i], scale, node, power) +
               share * law_sum(*law(), images.row(0)[i], scale, node + 1, power);
      };
      expected += (x * x - 2.0 * x * sum(1) / sum(0) + sum(2) / sum(0)) / kPixels;
    }
    EXPECT_NEAR(expect_under_noise(*law(), scale, images.row(0), parameters, unused), expected, 2e-5);
  }
}

// Each step of expectation maximisation raises the likelihood of the scale, whose maximum it approaches.
TEST(LawObservation, ExpectedNoiseClimbsToTheMostProbableScale) {
  const Matrix images = mixed_images(Key(12), 1, kPixels);
  std::vector<float> parameters(kPixels);
  for (float& parameter : parameters) {
    parameter = static_cast<float>(law()->parameter(20));  // at a node the energy is the sum itself
  }
  std::vector<float> unused(kPixels);
  const auto energy_of = [&](double scale) {
    return law_observation(law(), images, {scale})->negative_log(0, parameters, {});
  };
  double scale = 0.6;
  double energy = energy_of(scale);
  for (int step = 0; step < 60; ++step) {
    scale = std::sqrt(expect_under_noise(*law(), scale, images.row(0), parameters, unused));
    const double next = energy_of(scale);
    EXPECT_LE(next, energy + 1e-5 * std::abs(energy));
    energy = next;
  }
  EXPECT_GE(energy_of(1.05 * scale), energy - 1e-5 * std::abs(energy));
  EXPECT_GE(energy_of(0.95 * scale), energy - 1e-5 * std::abs(energy));
}

TEST(LawObservation, TheTrueImageGoesFromTheObservedOneToTheLawsMeanAsTheNoiseGrows) {
  const float x = 77.0F / 255.0F;
  const auto parameter = static_cast<float>(law()->parameter(20));
  const auto true_pixel = [&](double scale) {
    float pixel = 0.0F;
    law_observation(law(), Matrix(1, 1, x), {scale})->true_image(0, {&parameter, 1}, {&pixel, 1});
    return pixel;
  };
  EXPECT_NEAR(true_pixel(1e-4), x, 1e-6F);  // though N(x; v, s^2) is 0 in floating point for all other levels
  double mean = 0.0;
  for (std::int64_t v = 0; v < models::PixelLaw::kLevels; ++v) {
    mean += static_cast<double>(v) / 255.0 * law()->probability(20, v);
  }
  EXPECT_NEAR(true_pixel(1e3), mean, 1e-5);
  EXPECT_GT(std::abs(mean - x), 0.1);
}

TEST(LawObservation, AScaleBelowALevelStillGivesPixelsBetweenLevelsAFiniteEnergy) {
  const auto observation = law_observation(law(), Matrix(1, 1, 77.5F / 255.0F), {1e-5});
  float slope = 0.0F;
  const double expected = normal_energy(77.5 / 255.0, 77.0 / 255.0, 1e-5);
  // Half a level is 196 scales, and two levels share the pixel: 19,000 nats to within the law's own few.
  EXPECT_NEAR(energy_at(*observation, 0.0F, &slope), expected, 12.0);
  EXPECT_TRUE(std::isfinite(slope));
}

std::vector<std::unique_ptr<Observation>> both(const Matrix& images, const std::vector<double>& scales, int threads) {
  std::vector<std::unique_ptr<Observation>> result;
  result.push_back(gaussian_observation(models::bernoulli(), images, scales));
  result.push_back(law_observation(law(), images, scales, threads));
  return result;
}

TEST(GaussianNoise, GradientAloneIsTheSameBitsAndThreadsChangeNothing) {
  const Matrix images = mixed_images(Key(10), 3, kPixels);
  const std::vector<double> scales{0.1, 0.2, 0.7};
  const auto one = both(images, scales, 1);
  const auto other = both(images, scales, 3);
  for (std::size_t k = 0; k < one.size(); ++k) {
    EXPECT_EQ(one[k]->size(), 3);
    for (std::int64_t b = 0; b < 3; ++b) {
      const auto parameters = random_outputs(Key(11).fold(static_cast<std::uint64_t>(b)), {}, kPixels);
      std::vector<float> gradient(kPixels);
      std::vector<float> alone(kPixels);
      const double energy = one[k]->negative_log(b, parameters, gradient);
      one[k]->gradient(b, parameters, alone);
      EXPECT_EQ(alone, gradient);
      EXPECT_EQ(one[k]->negative_log(b, parameters, {}), energy);
      EXPECT_EQ(other[k]->negative_log(b, parameters, {}), energy);
    }
  }
}

TEST(GaussianNoise, OutputsThatAreNoNumbersGiveEnergiesAndPixelsThatAreNone) {
  for (const auto& observation : both(mixed_images(Key(12), 1, 10), {0.2}, 1)) {
    std::vector<float> parameters(10, 0.5F);
    parameters[4] = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> image(10);
    EXPECT_TRUE(std::isnan(observation->negative_log(0, parameters, {})));
    observation->true_image(0, parameters, image);
    EXPECT_TRUE(std::isnan(image[4]));
    EXPECT_TRUE(std::isfinite(image[5]));
  }
}

TEST(GaussianNoise, WhatDoesNotFitTogetherIsRefused) {
  const auto refuse = [](const Matrix& images, const std::vector<double>& scales, const std::string& text) {
    expect_misuse([&] { gaussian_observation({}, images, scales); }, {"[energy.observation] " + text});
    expect_misuse([&] { law_observation(law(), images, scales); }, {"[energy.observation] " + text});
  };
  refuse(Matrix(2, 3), {0.1}, "scales must number 2, one an image, got 1");
  refuse(Matrix(1, 3, std::nanf("")), {0.1}, "images");
  for (const double scale : {0.0, -0.1, std::nan(""), std::numeric_limits<double>::infinity()}) {
    refuse(Matrix(1, 3), {scale}, "a scale must be finite and > 0, got");
  }
}

}  // namespace
}  // namespace vaeguard::energy
