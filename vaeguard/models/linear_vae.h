// The closed-form oracle: a linear Gaussian VAE whose posterior, evidence, energy and gradient are known exactly.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/random.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::models {

/// N(mean, covariance) in D dimensions, in double; the covariance is row-major [D * D].
struct Gaussian {
  std::vector<double> mean;
  std::vector<double> covariance;
};

/// KL(p|q) in nats. Throws Misuse if dimensions differ or a covariance is not positive definite.
double kl_divergence(const Gaussian& p, const Gaussian& q);
/// log N(point; mean, covariance).
double log_density(const Gaussian& gaussian, std::span<const double> point);

/// Deviations of the encoder from the exact posterior.
struct LinearEncoderOptions {
  double mean_error = 0.0;          // relative: each weight of the mean map times 1 + mean_error N(0, 1)
  double log_variance_shift = 0.0;  // added to every log-variance
};

/// x = W z + b + N(0, s^2 I), z ~ N(0, I), P pixels and D latents. Then p(z|x) = N(S W'(x - b) / s^2, S) with
/// S = (I + W'W / s^2)^-1 the same for every x. Images are [P, 1, 1] so that every map is a convolution of kernel 1.
class LinearVae {
 public:
  LinearVae(Matrix weight, std::vector<float> bias, double variance);
  /// Weights N(0, weight_deviation^2), bias 1/2 so that images lie around the middle of [0, 1].
  static LinearVae random(Key key, std::int64_t pixels, std::int64_t latents, double weight_deviation, double variance);

  [[nodiscard]] std::int64_t pixels() const { return weight_.rows(); }
  [[nodiscard]] std::int64_t latents() const { return weight_.columns(); }
  [[nodiscard]] const Matrix& weight() const { return weight_; }  // [P, D]
  [[nodiscard]] double variance() const { return variance_; }

  /// The same model as graphs. The exact encoder gives the posterior mean and the diagonal of S; `error_key` is used
  /// only if options.mean_error is not 0.
  [[nodiscard]] VaeWeights weights(const LinearEncoderOptions& options = {}, Key error_key = Key(0)) const;
  /// p(z|x).
  [[nodiscard]] Gaussian posterior(std::span<const float> image) const;
  /// log p(x) = log N(x; b, W W' + s^2 I).
  [[nodiscard]] double log_evidence(std::span<const float> image) const;
  /// U(z|x) = -log p(x|z) - log p(z) with all constants; writes its gradient [D] unless empty.
  double energy(std::span<const float> image, std::span<const double> latent, std::span<double> gradient) const;

 private:
  Matrix weight_;
  std::vector<float> bias_;
  double variance_;
  std::vector<double> covariance_;  // S, [D * D]
  std::vector<double> mean_map_;    // S W' / s^2, [D * P]
};

}  // namespace vaeguard::models
