// What every likelihood promises: derivatives, means, likeliest pixels. Each check takes one.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "vaeguard/base/random.h"
#include "vaeguard/models/likelihood.h"

namespace vaeguard::models {

inline constexpr double kPixels[] = {0.0, 0.25, 1.0};

/// Some between the ends of the usual range; for means none within 1e-3 of a pixel above, where a Laplace has its kink.
inline std::vector<double> some_parameters(const Likelihood& likelihood) {
  const auto [first, last] = likelihood.usual_parameters();
  std::vector<double> result;
  for (const double share : {0.22, 0.31, 0.43, 0.55, 0.72, 0.81}) {
    result.push_back(first + share * (last - first));
  }
  return result;
}

inline std::vector<float> parameters_in_range(const Likelihood& likelihood, std::size_t count, Key key) {
  const auto [first, last] = likelihood.usual_parameters();
  std::vector<float> result(count);
  fill_uniform(key, static_cast<float>(first), static_cast<float>(last), result);
  return result;
}

inline std::vector<float> pixels_of(std::size_t count, Key key) {
  std::vector<float> result(count);
  fill_uniform(key, 0.0F, 1.0F, result);
  return result;
}

inline void expect_terms_that_are_derivatives(const Likelihood& likelihood) {
  constexpr double kStep = 1e-5;
  for (const double x : kPixels) {
    for (const double parameter : some_parameters(likelihood)) {
      const PixelTerms at = likelihood.pixel(x, parameter);
      const PixelTerms up = likelihood.pixel(x, parameter + kStep);
      const PixelTerms down = likelihood.pixel(x, parameter - kStep);
      EXPECT_NEAR(at.slope, (up.value - down.value) / (2.0 * kStep), 1e-6 * (1.0 + std::abs(at.curvature)))
          << describe(likelihood) << " " << x << " " << parameter;
      EXPECT_NEAR(at.curvature, (up.slope - down.slope) / (2.0 * kStep), 1e-5 * (1.0 + at.curvature * at.curvature))
          << describe(likelihood) << " " << x << " " << parameter;
    }
  }
}

// Sizes around the block of terms that share a logarithm. A float exponential errs by 2e-7, and so does the value of a
// pixel; its slope by a few roundings of numbers up to 1. What is computed in double is rounded to float once.
inline void expect_images_to_be_their_pixels(const Likelihood& likelihood) {
  for (const std::size_t size : {1U, 511U, 512U, 513U, 784U, 1025U}) {
    const std::vector<float> image = pixels_of(size, Key(size).fold("image"));
    const std::vector<float> parameters = parameters_in_range(likelihood, size, Key(size).fold("parameters"));
    std::vector<float> gradient(size);
    std::vector<float> alone(size);
    std::vector<float> curvature(size);
    const double value = likelihood.negative_log(image, parameters, gradient);
    likelihood.gradient(image, parameters, alone);
    likelihood.curvature(image, parameters, curvature);
    EXPECT_EQ(likelihood.negative_log(image, parameters, {}), value) << describe(likelihood);
    EXPECT_EQ(alone, gradient) << describe(likelihood);
    double expected = 0.0;
    for (std::size_t i = 0; i < size; ++i) {
      const PixelTerms pixel = likelihood.pixel(image[i], parameters[i]);
      expected += pixel.value;
      EXPECT_NEAR(gradient[i], pixel.slope, 4e-7 * (1.0 + std::abs(pixel.slope))) << describe(likelihood);
      EXPECT_NEAR(curvature[i], pixel.curvature, 1e-7 * pixel.curvature) << describe(likelihood);
    }
    EXPECT_NEAR(value, expected, 2e-7 * static_cast<double>(size)) << describe(likelihood);
  }
}

// Central differences of the value with step h, 2^-6 of a logit and 2^-10 of a mean: slopes on both sides tell their
// first error, h^2 / 6 of a third derivative. What is left is 1e-5 at most, and 2e-7 / h from a float exponential.
inline void expect_gradients_of_differences(const Likelihood& likelihood) {
  const auto [first, last] = likelihood.usual_parameters();
  const auto step = static_cast<float>((last - first) / 1536.0);
  std::size_t compared = 0;
  for (int i = 0; i <= 48; ++i) {
    const float x = 0.75F;
    const auto parameter = static_cast<float>(first + (last - first) * i / 48.0);
    const float above = parameter + step;
    const float below = parameter - step;
    const double slope = likelihood.pixel(x, parameter).slope;
    const double right = likelihood.pixel(x, above).slope;
    const double left = likelihood.pixel(x, below).slope;
    // Across a kink or an end of the clamp a difference says nothing.
    if (std::abs(right - left) > 0.3 + 0.1 * std::abs(slope) || (slope == 0.0) != (left == 0.0) ||
        (slope == 0.0) != (right == 0.0)) {
      continue;
    }
    ++compared;
    float gradient = 0.0F;
    (void)likelihood.negative_log({&x, 1}, {&parameter, 1}, {&gradient, 1});
    const double difference =
        (likelihood.negative_log({&x, 1}, {&above, 1}, {}) - likelihood.negative_log({&x, 1}, {&below, 1}, {})) /
        (static_cast<double>(above) - below);
    EXPECT_NEAR(gradient, difference - (left - 2.0 * slope + right) / 6.0, 5e-5)
        << describe(likelihood) << " at " << parameter;
  }
  EXPECT_GE(compared, 40U) << describe(likelihood);
}

inline void expect_no_energy_of_no_number(const Likelihood& likelihood) {
  const float x = 0.5F;
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    if (!likelihood.published_only() || std::isnan(bad)) {  // a clamp takes infinity to its end
      EXPECT_FALSE(std::isfinite(likelihood.negative_log({&x, 1}, {&bad, 1}, {}))) << describe(likelihood);
    }
  }
}

// E[x] is where -log p has slope 0 by the parameter, for every likelihood with a slope there.
inline void expect_no_gradient_at_the_mean(const Likelihood& likelihood) {
  for (const double parameter : some_parameters(likelihood)) {
    const auto at = static_cast<float>(parameter);
    float mean = 0.0F;
    float gradient = 1.0F;
    likelihood.mean({&at, 1}, {&mean, 1});
    likelihood.gradient({&mean, 1}, {&at, 1}, {&gradient, 1});
    EXPECT_NEAR(gradient, 0.0F, 4e-7) << describe(likelihood) << " " << parameter;
  }
}

inline void expect_gradients_pulled_back(const Likelihood& likelihood) {
  constexpr float kStep = 0x1p-7F;
  const std::vector<float> parameters{-0.5F, 0.2F, 0.9F};
  const std::vector<double> weights{1.0, -2.0, 0.5};
  std::vector<float> mean(3);
  std::vector<float> above(3);
  std::vector<float> below(3);
  std::vector<float> gradient(3);
  std::vector<float> up = parameters;
  std::vector<float> down = parameters;
  for (std::size_t i = 0; i < 3; ++i) {
    up[i] += kStep;
    down[i] -= kStep;
  }
  likelihood.mean(parameters, mean);
  likelihood.mean(up, above);
  likelihood.mean(down, below);
  likelihood.pull_mean(mean, weights, gradient);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(gradient[i], weights[i] * (above[i] - below[i]) / (2.0 * kStep), 1e-4) << describe(likelihood);
  }
}

// For sum w m + h m^2 / 2 of the mean image m, against differences of its pulled gradient with step 2^-7: 1e-5 of a
// derivative below 1, and 1e-5 from means that are rounded to float.
inline void expect_curvatures_pulled_back(const Likelihood& likelihood) {
  constexpr float kStep = 0x1p-7F;
  const std::vector<float> parameters{-0.5F, 0.2F, 0.9F};
  const std::vector<double> curvatures{0.5, 1.0, 2.0};
  std::vector<float> mean(3);
  std::vector<double> slopes(3);
  const auto gradient_at = [&](float step) {
    std::vector<float> moved = parameters;
    std::vector<float> gradient(3);
    for (float& parameter : moved) {
      parameter += step;
    }
    likelihood.mean(moved, mean);
    const std::vector<double> weights{1.0, -2.0, 0.5};
    for (std::size_t i = 0; i < 3; ++i) {
      slopes[i] = weights[i] + curvatures[i] * mean[i];
    }
    likelihood.pull_mean(mean, slopes, gradient);
    return gradient;
  };
  const std::vector<float> above = gradient_at(kStep);
  const std::vector<float> below = gradient_at(-kStep);
  static_cast<void>(gradient_at(0.0F));
  std::vector<float> found(3);
  likelihood.pull_mean_curvature(mean, slopes, curvatures, found);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(found[i], (static_cast<double>(above[i]) - below[i]) / (2.0 * kStep), 1e-4) << describe(likelihood);
  }
}

inline float likeliest(const Likelihood& likelihood, float x, float parameter, PixelInterval interval) {
  float result = std::nanf("");
  likelihood.likeliest_pixels({&x, 1}, {&parameter, 1}, {&interval, 1}, {&result, 1});
  return result;
}

inline void expect_likeliest_pixels(const Likelihood& likelihood) {
  constexpr PixelInterval kIntervals[] = {{0.0F, 1.0F}, {0.3F, 0.5F}, {0.7F, 0.7F}};
  for (const double parameter : some_parameters(likelihood)) {
    for (const PixelInterval& interval : kIntervals) {
      const float best = likeliest(likelihood, 0.4F, static_cast<float>(parameter), interval);
      EXPECT_GE(best, interval.low);
      EXPECT_LE(best, interval.high);
      for (int i = 0; i <= 100; ++i) {
        const double other = interval.low + 0.01 * i * (static_cast<double>(interval.high) - interval.low);
        EXPECT_LE(likelihood.pixel(best, parameter).value, likelihood.pixel(other, parameter).value + 1e-6)
            << describe(likelihood) << " " << parameter << " " << other;
      }
    }
  }
}

// A pixel that follows moves as its parameter does; any other stays where it is.
inline void expect_followers_cleared(const Likelihood& likelihood) {
  constexpr PixelInterval kInterval{0.3F, 0.6F};
  constexpr float kStep = 0x1p-10F;
  for (const double parameter : some_parameters(likelihood)) {
    const auto at = static_cast<float>(parameter);
    float value = 7.0F;
    likelihood.clear_followers({&at, 1}, {&kInterval, 1}, {&value, 1});
    const float moved = likeliest(likelihood, 0.4F, at + kStep, kInterval) - likeliest(likelihood, 0.4F, at, kInterval);
    EXPECT_EQ(moved, value == 0.0F ? at + kStep - at : 0.0F) << describe(likelihood) << " " << parameter;
    EXPECT_TRUE(value == 0.0F || value == 7.0F);
  }
}

// d = -tau d/dx -log p at x + d, with one tau(t) for all pixels; at a kink d ends on it.
inline void expect_likelier_steps(const Likelihood& likelihood) {
  constexpr double kStep = 1e-5;
  const std::vector<float> image = pixels_of(40, Key(1));
  const std::vector<float> parameters = parameters_in_range(likelihood, 40, Key(2));
  std::vector<double> steps(40);
  std::vector<double> last(40, 0.0);
  for (const double t : {0.0, 0.01, 0.1, 1.0, 3.0}) {
    likelihood.likelier_steps(image, parameters, t, steps);
    std::vector<double> multipliers;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      EXPECT_GE(std::abs(steps[i]), std::abs(last[i]) - 1e-12) << describe(likelihood) << " " << t;
      EXPECT_LE(likelihood.pixel(image[i] + steps[i], parameters[i]).value,
                likelihood.pixel(image[i], parameters[i]).value + 1e-12);
      const double to = image[i] + steps[i];
      const double pull =
          -(likelihood.pixel(to + kStep, parameters[i]).value - likelihood.pixel(to - kStep, parameters[i]).value) /
          (2.0 * kStep);
      if (t > 0.0 && std::abs(to - parameters[i]) > 2.0 * kStep && std::abs(pull) > 1e-3) {
        multipliers.push_back(steps[i] / pull);
      }
    }
    if (t == 0.0) {
      EXPECT_EQ(steps, std::vector<double>(40, 0.0)) << describe(likelihood);
    }
    for (const double multiplier : multipliers) {
      EXPECT_NEAR(multiplier, multipliers.front(), 1e-5 * multipliers.front()) << describe(likelihood) << " " << t;
      EXPECT_GT(multiplier, 0.0);
    }
    last = steps;
  }
}

inline void expect_contract(const Likelihood& likelihood) {
  expect_terms_that_are_derivatives(likelihood);
  expect_images_to_be_their_pixels(likelihood);
  expect_gradients_of_differences(likelihood);
  expect_no_energy_of_no_number(likelihood);
  expect_no_gradient_at_the_mean(likelihood);
  expect_gradients_pulled_back(likelihood);
  expect_curvatures_pulled_back(likelihood);
  expect_likeliest_pixels(likelihood);
  expect_followers_cleared(likelihood);
  expect_likelier_steps(likelihood);
}

}  // namespace vaeguard::models
