// Likelihoods, images and decoder outputs for the tests of observations, and a pixel's -log p in double.
#pragma once

#include <cmath>
#include <numbers>
#include <vector>

#include "tests/models/likelihood_options.h"
#include "vaeguard/base/matrix.h"
#include "vaeguard/base/random.h"
#include "vaeguard/energy/observation.h"

namespace vaeguard::energy {

inline const models::Likelihood kLikelihoods[] = {models::bernoulli(), models::gaussian(0.2), models::laplace(0.2)};

/// -log p(x | parameter) of one pixel as the textbooks have it.
inline double pixel_energy(const models::Likelihood& likelihood, double x, double parameter) {
  const double variance = models::variance_of(likelihood);
  if (likelihood.name() == "bernoulli") {
    return std::max(parameter, 0.0) + std::log1p(std::exp(-std::abs(parameter))) - x * parameter;
  }
  if (likelihood.name() == "gaussian") {
    return 0.5 * (x - parameter) * (x - parameter) / variance + 0.5 * std::log(2.0 * std::numbers::pi * variance);
  }
  if (likelihood.name() == "laplace") {
    const double scale = std::sqrt(0.5 * variance);
    return std::abs(x - parameter) / scale + std::log(2.0 * scale);
  }
  return std::nan("");
}

/// Images whose pixels are black, white and grey, a third each.
inline Matrix mixed_images(Key key, std::int64_t count, std::int64_t pixels) {
  Matrix images(count, pixels);
  fill_uniform(key, -1.0F, 2.0F, images.flat());
  for (float& x : images.flat()) {
    x = std::clamp(x, 0.0F, 1.0F);
  }
  return images;
}

/// Logits N(0, 2^2) for Bernoulli, means N(1/2, 1/2^2) otherwise.
inline std::vector<float> random_outputs(Key key, const models::Likelihood& likelihood, std::size_t count) {
  std::vector<float> outputs(count);
  fill_normal(key, outputs);
  const bool bernoulli = likelihood.name() == "bernoulli";
  for (float& value : outputs) {
    value = bernoulli ? 2.0F * value : 0.5F + 0.5F * value;
  }
  return outputs;
}

/// Whether two images are at most `radius` apart, but for the rounding of pixels up to 1 to float.
inline bool within(Norm norm, double radius, std::span<const float> a, std::span<const float> b) {
  double largest = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double gap = std::abs(static_cast<double>(a[i]) - b[i]);
    largest = std::max(largest, gap);
    squares += gap * gap;
  }
  return norm == Norm::linf ? largest <= radius + 1.2e-7
                            : std::sqrt(squares) <= radius + 1.2e-7 * std::sqrt(static_cast<double>(a.size()));
}

}  // namespace vaeguard::energy
