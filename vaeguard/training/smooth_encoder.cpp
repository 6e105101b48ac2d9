// Distances between codes and the inner ascent that finds the worst neighbour.
#include "vaeguard/training/smooth_encoder.h"

#include <algorithm>
#include <cmath>

#include "vaeguard/base/error.h"

namespace vaeguard::training {
namespace {

// Together the steps can cross the ball one and a quarter times, so they can reach its boundary from any start.
constexpr double kReach = 2.5;

// Into the ball around the image, and into [0, 1].
float confined(float pixel, float image, float radius) {
  return std::clamp(pixel, std::max(image - radius, 0.0F), std::min(image + radius, 1.0F));
}

void start_in_ball(const Matrix& images, std::span<const Key> keys, float radius, Matrix& fictive) {
  fictive.resize(images.rows(), images.columns());
  for (std::int64_t b = 0; b < images.rows(); ++b) {
    fill_uniform(keys[static_cast<std::size_t>(b)].fold("fictive"), -radius, radius, fictive.row(b));
    for (std::int64_t p = 0; p < images.columns(); ++p) {
      fictive(b, p) = confined(images(b, p) + fictive(b, p), images(b, p), radius);
    }
  }
}

}  // namespace

void SmoothEncoderOptions::validate() const {
  if (!(gamma > 0.0) || !std::isfinite(gamma)) {
    misuse("training.smooth_encoder", "gamma must be finite and > 0, got {}", gamma);
  }
  if (!(radius > 0.0 && radius <= 1.0)) {
    misuse("training.smooth_encoder", "radius must be in (0, 1], got {}", radius);
  }
  if (steps < 1) {
    misuse("training.smooth_encoder", "steps must be at least 1, got {}", steps);
  }
}

double regularised_wasserstein(std::span<const float> a, std::span<const float> b, double gamma,
                               std::span<float> gradient_a, std::span<float> gradient_b) {
  const std::size_t size = a.size() / 2;
  const double half = 0.5 / gamma;
  double sum = 0.0;
  for (std::size_t d = 0; d < size; ++d) {
    const double gap = static_cast<double>(a[d]) - b[d];
    const double variance_a = std::exp(static_cast<double>(a[size + d]));
    const double variance_b = std::exp(static_cast<double>(b[size + d]));
    const double product = variance_a * variance_b;
    // sqrt(product + half^2) - half, without its cancellation
    const double psi = product / (std::sqrt(product + half * half) + half);
    // S_a S_b - psi^2 = psi / gamma
    sum += 0.5 * gamma * (gap * gap + variance_a + variance_b - 2.0 * psi) - 0.5 * std::log(psi / gamma);
    // psi is optimal, so only the direct dependence counts: d/d log S_a = gamma S_a / 2 - S_a S_b / (2 psi / gamma)
    const double entropy = 0.5 * gamma * product / psi;
    if (!gradient_a.empty()) {
      gradient_a[d] = static_cast<float>(gamma * gap);
      gradient_a[size + d] = static_cast<float>(0.5 * gamma * variance_a - entropy);
    }
    if (!gradient_b.empty()) {
      gradient_b[d] = static_cast<float>(-gamma * gap);
      gradient_b[size + d] = static_cast<float>(0.5 * gamma * variance_b - entropy);
    }
  }
  return sum;
}

void find_fictive(const networks::Network& encoder, const Matrix& images, const Matrix& encoded,
                  std::span<const Key> keys, const SmoothEncoderOptions& options, EncoderPass& pass) {
  const auto radius = static_cast<float>(options.radius);
  const auto step = static_cast<float>(kReach * options.radius / options.steps);
  start_in_ball(images, keys, radius, pass.images);
  pass.forward(encoder);
  for (int i = 0; i < options.steps; ++i) {
    for (std::int64_t b = 0; b < images.rows(); ++b) {
      regularised_wasserstein(encoded.row(b), pass.encoded.row(b), options.gamma, {}, pass.encoded_gradients.row(b));
    }
    encoder.backward(pass.encoded_gradients, pass.image_gradients, *pass.tape);
    for (std::int64_t b = 0; b < images.rows(); ++b) {
      for (std::int64_t p = 0; p < images.columns(); ++p) {
        const float slope = pass.image_gradients(b, p);
        const float move = slope > 0.0F ? step : slope < 0.0F ? -step : 0.0F;
        pass.images(b, p) = confined(pass.images(b, p) + move, images(b, p), radius);
      }
    }
    pass.forward(encoder);
  }
}

double add_smooth_penalty(const networks::TrainableNetwork& encoder, const Matrix& images, const Matrix& encoded,
                          std::span<const Key> keys, const SmoothEncoderOptions& options, EncoderPass& pass,
                          Matrix& encoded_gradients, std::span<float> gradient) {
  find_fictive(encoder, images, encoded, keys, options, pass);
  return pass.compare(
      encoder, encoded,
      [&](std::span<const float> code, std::span<const float> other, std::span<float> own, std::span<float> others) {
        return regularised_wasserstein(code, other, options.gamma, own, others);
      },
      encoded_gradients, gradient);
}

}  // namespace vaeguard::training
