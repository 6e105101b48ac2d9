// Linear-Gaussian algebra of the oracle, in double with Eigen.
#include "vaeguard/models/linear_vae.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <numbers>
#include <utility>

#include "vaeguard/base/eigen_view.h"
#include "vaeguard/base/error.h"

namespace vaeguard::models {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

const double kLogTwoPi = std::log(2.0 * std::numbers::pi);

Vector vector_of(std::span<const double> values) {
  return Eigen::Map<const Vector>(values.data(), static_cast<Eigen::Index>(values.size()));
}

RowMajor matrix_of(const std::vector<double>& values, Eigen::Index rows, Eigen::Index columns) {
  return Eigen::Map<const RowMajor>(values.data(), rows, columns);
}

/// x - b in double.
Vector centred(std::span<const float> image, const std::vector<float>& bias) {
  if (image.size() != bias.size()) {
    misuse("models.linear_vae", "an image must have {} pixels, got {}", bias.size(), image.size());
  }
  Vector result(static_cast<Eigen::Index>(image.size()));
  for (std::size_t i = 0; i < image.size(); ++i) {
    result[static_cast<Eigen::Index>(i)] = static_cast<double>(image[i]) - bias[i];
  }
  return result;
}

Eigen::LLT<RowMajor> factorise(const Gaussian& gaussian) {
  const auto size = static_cast<Eigen::Index>(gaussian.mean.size());
  if (gaussian.covariance.size() != gaussian.mean.size() * gaussian.mean.size()) {
    misuse("models.linear_vae", "a Gaussian of {} variables needs {} covariances, got {}", size, size * size,
           gaussian.covariance.size());
  }
  Eigen::LLT<RowMajor> factor(matrix_of(gaussian.covariance, size, size));
  if (factor.info() != Eigen::Success) {
    misuse("models.linear_vae", "the covariance of a Gaussian of {} variables must be positive definite", size);
  }
  return factor;
}

double log_determinant(const Eigen::LLT<RowMajor>& factor) {
  return 2.0 * factor.matrixL().toDenseMatrix().diagonal().array().log().sum();
}

}  // namespace

double kl_divergence(const Gaussian& p, const Gaussian& q) {
  const auto p_factor = factorise(p);
  const auto q_factor = factorise(q);
  const auto size = static_cast<Eigen::Index>(p.mean.size());
  if (p.mean.size() != q.mean.size()) {
    misuse("models.linear_vae", "KL needs Gaussians of one dimension, got {} and {}", p.mean.size(), q.mean.size());
  }
  const double trace = q_factor.solve(matrix_of(p.covariance, size, size)).trace();
  const Vector shift = q_factor.matrixL().solve(vector_of(p.mean) - vector_of(q.mean));
  return 0.5 * (trace + shift.squaredNorm() - static_cast<double>(size) + log_determinant(q_factor) -
                log_determinant(p_factor));
}

double log_density(const Gaussian& gaussian, std::span<const double> point) {
  const auto factor = factorise(gaussian);
  if (point.size() != gaussian.mean.size()) {
    misuse("models.linear_vae", "a point of {} coordinates has no density under a Gaussian of {}", point.size(),
           gaussian.mean.size());
  }
  const Vector white = factor.matrixL().solve(vector_of(point) - vector_of(gaussian.mean));
  return -0.5 * (white.squaredNorm() + log_determinant(factor) + static_cast<double>(point.size()) * kLogTwoPi);
}

LinearVae::LinearVae(Matrix weight, std::vector<float> bias, double variance)
    : weight_(std::move(weight)), bias_(std::move(bias)), variance_(variance) {
  check_finite("models.linear_vae", "weight", weight_);
  if (weight_.rows() < 1 || weight_.columns() < 1 || static_cast<std::int64_t>(bias_.size()) != weight_.rows()) {
    misuse("models.linear_vae", "weight must be [pixels, latents] with one bias per pixel, got [{}, {}] and {}",
           weight_.rows(), weight_.columns(), bias_.size());
  }
  if (!std::isfinite(variance) || variance <= 0.0) {
    misuse("models.linear_vae", "variance must be finite and > 0, got {}", variance);
  }
  const RowMajor w = eigen_view(weight_).cast<double>();
  const RowMajor precision = RowMajor::Identity(latents(), latents()) + w.transpose() * w / variance_;
  const RowMajor covariance = precision.llt().solve(RowMajor::Identity(latents(), latents()));
  const RowMajor mean_map = covariance * w.transpose() / variance_;
  covariance_.assign(covariance.data(), covariance.data() + covariance.size());
  mean_map_.assign(mean_map.data(), mean_map.data() + mean_map.size());
}

LinearVae LinearVae::random(Key key, std::int64_t pixels, std::int64_t latents, double weight_deviation,
                            double variance) {
  Matrix weight(pixels, latents);
  fill_normal(key.fold("linear_vae"), weight.flat());
  for (float& value : weight.flat()) {
    value = static_cast<float>(value * weight_deviation);
  }
  return {std::move(weight), std::vector<float>(static_cast<std::size_t>(pixels), 0.5F), variance};
}

VaeWeights LinearVae::weights(const LinearEncoderOptions& options, Key error_key) const {
  VaeWeights result{.architecture = "linear_vae",
                    .encoder = {.inputs = {{pixels(), 1, 1}}},
                    .decoder = {.inputs = {{latents(), 1, 1}}},
                    .likelihood = gaussian(variance_)};
  result.encoder.add(networks::Operation::convolution, {.channels = 2 * latents()});
  result.decoder.add(networks::Operation::convolution, {.channels = pixels()});

  std::vector<float> errors(mean_map_.size());
  fill_normal(error_key.fold("linear_encoder"), errors);
  const networks::Layer& encoder = result.encoder.layers.front();
  const auto encoder_weight = result.encoder.weight(encoder);  // [2 D, P]; the log-variance rows stay 0
  const auto encoder_bias = result.encoder.bias(encoder);
  const auto columns = static_cast<std::size_t>(pixels());
  const auto rows = static_cast<std::size_t>(latents());
  for (std::size_t d = 0; d < rows; ++d) {
    double offset = 0.0;
    for (std::size_t j = 0; j < columns; ++j) {
      const double weight = mean_map_[d * columns + j] * (1.0 + options.mean_error * errors[d * columns + j]);
      encoder_weight[d * columns + j] = static_cast<float>(weight);
      offset -= weight * bias_[j];
    }
    encoder_bias[d] = static_cast<float>(offset);
    encoder_bias[rows + d] = static_cast<float>(std::log(covariance_[d * rows + d]) + options.log_variance_shift);
  }
  const networks::Layer& decoder = result.decoder.layers.front();
  std::ranges::copy(weight_.values(), result.decoder.weight(decoder).begin());
  std::ranges::copy(bias_, result.decoder.bias(decoder).begin());
  return result;
}

Gaussian LinearVae::posterior(std::span<const float> image) const {
  const Vector mean = matrix_of(mean_map_, latents(), pixels()) * centred(image, bias_);
  return {.mean = {mean.data(), mean.data() + mean.size()}, .covariance = covariance_};
}

double LinearVae::log_evidence(std::span<const float> image) const {
  const RowMajor w = eigen_view(weight_).cast<double>();
  const RowMajor covariance = w * w.transpose() + variance_ * RowMajor::Identity(pixels(), pixels());
  const Vector difference = centred(image, bias_);
  return log_density({.mean = std::vector<double>(image.size(), 0.0),
                      .covariance = {covariance.data(), covariance.data() + covariance.size()}},
                     std::span(difference.data(), image.size()));
}

double LinearVae::energy(std::span<const float> image, std::span<const double> latent,
                         std::span<double> gradient) const {
  if (static_cast<std::int64_t>(latent.size()) != latents()) {
    misuse("models.linear_vae", "a latent code must have {} coordinates, got {}", latents(), latent.size());
  }
  const RowMajor w = eigen_view(weight_).cast<double>();
  const Vector z = vector_of(latent);
  const Vector residual = w * z - centred(image, bias_);
  if (!gradient.empty()) {
    Eigen::Map<Vector>(gradient.data(), latents()) = w.transpose() * residual / variance_ + z;
  }
  return 0.5 * (residual.squaredNorm() / variance_ + static_cast<double>(pixels()) * (kLogTwoPi + std::log(variance_)) +
                z.squaredNorm() + static_cast<double>(latents()) * kLogTwoPi);
}

}  // namespace vaeguard::models
