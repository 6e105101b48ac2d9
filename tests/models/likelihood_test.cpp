// Each likelihood against its formula in double precision; likelihood_contract_test.cpp has what all promise.
#include "vaeguard/models/likelihood.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/base/random.h"

namespace vaeguard::models {
namespace {

constexpr double kVariance = 0.3;
const Likelihood kBernoulli = bernoulli();
const Likelihood kGaussian = gaussian(kVariance);
const Likelihood kLaplace = laplace(kVariance);

/// -100 to 100 in steps of 0.1, and zero's neighbourhood.
std::vector<float> wide_range() {
  std::vector<float> result{0.0F, -0.0F, 1e-6F, -1e-6F, 1e-30F, -1e-30F};
  for (int i = -1000; i <= 1000; ++i) {
    result.push_back(0.1F * static_cast<float>(i));
  }
  return result;
}

double bernoulli_in_double(double x, double logit) {
  return std::max(logit, 0.0) + std::log1p(std::exp(-std::abs(logit))) - x * logit;
}

double sigmoid_in_double(double logit) {
  return logit >= 0.0 ? 1.0 / (1.0 + std::exp(-logit)) : std::exp(logit) / (1.0 + std::exp(logit));
}

double gaussian_in_double(double x, double mean, double variance) {
  return 0.5 * (x - mean) * (x - mean) / variance + 0.5 * std::log(2.0 * std::numbers::pi * variance);
}

double laplace_in_double(double x, double mean, double variance) {
  const double scale = std::sqrt(variance / 2.0);
  return std::abs(x - mean) / scale + std::log(2.0 * scale);
}

double value_of(const Likelihood& likelihood, std::span<const float> image, std::span<const float> parameters) {
  return likelihood.negative_log(image, parameters, {});
}

TEST(Likelihood, BernoulliIsTheFormulaForEveryLogitFromMinusToPlusHundred) {
  for (const float logit : wide_range()) {
    for (const float x : {0.0F, 0.25F, 1.0F}) {
      // log(1 + e) errs by at most the error of e <= 1, of relative size 2e-7; all else is in double.
      EXPECT_NEAR(value_of(kBernoulli, {&x, 1}, {&logit, 1}), bernoulli_in_double(x, logit),
                  2e-7 * std::exp(-std::abs(static_cast<double>(logit))) + 1e-13)
          << logit << " " << x;
    }
  }
}

TEST(Likelihood, BernoulliGradientIsSigmoidMinusPixel) {
  for (const float logit : wide_range()) {
    for (const float x : {0.0F, 0.25F, 1.0F}) {
      float gradient = 0.0F;
      (void)kBernoulli.negative_log({&x, 1}, {&logit, 1}, {&gradient, 1});
      EXPECT_NEAR(gradient, sigmoid_in_double(logit) - x, 4e-7) << logit;  // a few roundings of numbers up to 1
    }
  }
}

TEST(Likelihood, ManySaturatedPixelsStayFinite) {
  const std::vector<float> image(3000, 0.0F);
  EXPECT_NEAR(value_of(kBernoulli, image, std::vector<float>(3000, 100.0F)), 300000.0, 1e-6);
  EXPECT_NEAR(value_of(kBernoulli, image, std::vector<float>(3000, 0.0F)), 3000.0 * std::numbers::ln2, 3000.0 * 2e-7);
}

TEST(Likelihood, GaussianIsTheFormulaForEveryMeanFromMinusToPlusHundred) {
  for (const float mean : wide_range()) {
    const float x = 0.5F;
    float gradient = 0.0F;
    const double expected = gaussian_in_double(x, mean, kVariance);
    EXPECT_NEAR(kGaussian.negative_log({&x, 1}, {&mean, 1}, {&gradient, 1}), expected,
                1e-12 * std::abs(expected) + 1e-12);
    const double slope = (mean - 0.5) / kVariance;
    EXPECT_NEAR(gradient, slope, 1e-7 * std::abs(slope));  // one rounding to float
  }
}

TEST(Likelihood, LaplaceIsTheFormulaForEveryMeanFromMinusToPlusHundred) {
  for (const float mean : wide_range()) {
    const float x = 0.25F;
    float gradient = 0.0F;
    const double expected = laplace_in_double(x, mean, kVariance);
    EXPECT_NEAR(kLaplace.negative_log({&x, 1}, {&mean, 1}, {&gradient, 1}), expected,
                1e-12 * std::abs(expected) + 1e-12);
    const double slope = (mean > x ? 1.0 : -1.0) / std::sqrt(0.15);
    EXPECT_NEAR(gradient, slope, 1e-7 * std::abs(slope));  // one rounding to float
  }
}

TEST(Likelihood, LaplaceGradientAgreesWithFiniteDifferencesAwayFromTheKinkAndIsZeroOnIt) {
  constexpr float kStep = 0x1p-6F;
  const float x = 0.75F;
  for (float mean = -8.0F; mean <= 8.0F; mean += 0.1F) {
    if (std::abs(mean - x) > 2.0F * kStep) {
      const float above = mean + kStep;
      const float below = mean - kStep;
      float gradient = 0.0F;
      (void)kLaplace.negative_log({&x, 1}, {&mean, 1}, {&gradient, 1});
      // Linear: what is left are the float roundings of above - below, 1e-6 of 2 h = 0.03.
      const double difference = (value_of(kLaplace, {&x, 1}, {&above, 1}) - value_of(kLaplace, {&x, 1}, {&below, 1})) /
                                (static_cast<double>(above) - below);
      EXPECT_NEAR(gradient, difference, 1e-6) << mean;
    }
  }
  float gradient = 1.0F;
  (void)kLaplace.negative_log({&x, 1}, {&x, 1}, {&gradient, 1});
  EXPECT_EQ(gradient, 0.0F);
}

TEST(Likelihood, AMeanThatIsNoNumberGivesALaplaceGradientThatIsNone) {
  const float x = 0.5F;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  float gradient = 0.0F;
  EXPECT_TRUE(std::isnan(kLaplace.negative_log({&x, 1}, {&nan, 1}, {&gradient, 1})));
  EXPECT_TRUE(std::isnan(gradient));
}

TEST(Likelihood, MeanIsTheProbabilityOrTheMeanItself) {
  const std::vector<float> parameters{-100.0F, -2.0F, 0.0F, 3.0F, 100.0F};
  std::vector<float> image(parameters.size());
  for (const Likelihood& likelihood : {kGaussian, kLaplace}) {
    likelihood.mean(parameters, image);
    EXPECT_EQ(image, parameters);
  }
  kBernoulli.mean(parameters, image);
  for (std::size_t i = 0; i < image.size(); ++i) {
    EXPECT_NEAR(image[i], sigmoid_in_double(parameters[i]), 2e-7);
    EXPECT_GE(image[i], 0.0F);
    EXPECT_LE(image[i], 1.0F);
  }
}

TEST(Likelihood, ClampedBernoulliIsFlatWhereItsOutputLeavesTheRange) {
  const Likelihood clamped = clamped_bernoulli();
  const float image = 0.3F;
  const auto energy = [&](float output, float* gradient) {
    return clamped.negative_log({&image, 1}, {&output, 1},
                                gradient == nullptr ? std::span<float>() : std::span(gradient, 1));
  };
  for (const float output : {-3.0F, 0.0F, 1.0F, 7.0F}) {
    float gradient = 1.0F;
    const double end = output < 0.5F ? 1e-5 : 1.0 - 1e-5;
    EXPECT_NEAR(energy(output, &gradient), -0.3 * std::log(end) - 0.7 * std::log(1.0 - end), 1e-6) << output;
    EXPECT_EQ(gradient, 0.0F) << output;
  }
  for (const float output : {0.01F, 0.3F, 0.9F}) {
    float gradient = 0.0F;
    EXPECT_NEAR(energy(output, &gradient), -0.3 * std::log(output) - 0.7 * std::log(1.0 - output), 1e-6) << output;
    // Steps of 1e-4 to either side: curvature's change, up to 1e4 at 0.01, times 1e-8 / 6 and rounding of the outputs.
    const double slope = (energy(output + 1e-4F, nullptr) - energy(output - 1e-4F, nullptr)) /
                         (static_cast<double>(output + 1e-4F) - (output - 1e-4F));
    EXPECT_NEAR(gradient, slope, 1e-2) << output;
    float alone = 0.0F;
    clamped.gradient({&image, 1}, {&output, 1}, {&alone, 1});
    EXPECT_EQ(alone, gradient);
  }
  const float far = 1.5F;
  float mean = 0.0F;
  clamped.mean({&far, 1}, {&mean, 1});
  EXPECT_EQ(mean, far) << "as published, where means leave the range";
}

}  // namespace
}  // namespace vaeguard::models
