// The oracle against identities that it does not compute itself: Bayes' rule, finite differences, its own graphs.
#include "vaeguard/models/linear_vae.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard::models {
namespace {

constexpr std::int64_t kPixels = 7;
constexpr std::int64_t kLatents = 3;

LinearVae oracle() { return LinearVae::random(Key(1), kPixels, kLatents, 0.7, 0.09); }

std::vector<float> image(std::uint64_t seed = 2) {
  std::vector<float> result(kPixels);
  fill_uniform(Key(seed).fold("image"), 0.0F, 1.0F, result);
  return result;
}

std::vector<double> latent(std::uint64_t seed) {
  std::vector<float> drawn(kLatents);
  fill_normal(Key(seed).fold("latent"), drawn);
  return {drawn.begin(), drawn.end()};
}

TEST(LinearVae, BayesRuleHoldsAtEveryLatentCode) {
  const LinearVae vae = oracle();
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto x = image(seed);
    const auto z = latent(seed);
    // log p(x|z) + log p(z) = log p(x) + log p(z|x), in double.
    EXPECT_NEAR(-vae.energy(x, z, {}), vae.log_evidence(x) + log_density(vae.posterior(x), z), 1e-10);
  }
}

TEST(LinearVae, TheEnergyIsLeastAtThePosteriorMean) {
  const LinearVae vae = oracle();
  std::vector<double> gradient(kLatents);
  vae.energy(image(), vae.posterior(image()).mean, gradient);
  EXPECT_THAT(gradient, testing::Each(testing::DoubleNear(0.0, 1e-12)));
}

TEST(LinearVae, TheGradientAgreesWithFiniteDifferences) {
  const LinearVae vae = oracle();
  const auto z = latent(5);
  std::vector<double> gradient(kLatents);
  vae.energy(image(), z, gradient);
  for (std::size_t d = 0; d < kLatents; ++d) {
    auto up = z;
    auto down = z;
    up[d] += 1e-4;
    down[d] -= 1e-4;
    // The energy is quadratic, so central differences err by rounding only.
    EXPECT_NEAR(gradient[d], (vae.energy(image(), up, {}) - vae.energy(image(), down, {})) / 2e-4, 1e-7);
  }
}

TEST(LinearVae, ItsGraphsComputeThePosteriorMeanItsVariancesAndTheMeanImage) {
  const LinearVae oracle_vae = oracle();
  const Vae vae(oracle_vae.weights());
  EXPECT_EQ(vae.latent_size(), kLatents);
  EXPECT_EQ(vae.image(), (ImageShape{kPixels, 1, 1}));
  const auto x = image();
  const Encoding encoding = vae.encode(Matrix(1, kPixels, x));
  const Gaussian posterior = oracle_vae.posterior(x);
  for (std::int64_t d = 0; d < kLatents; ++d) {
    const auto i = static_cast<std::size_t>(d);
    EXPECT_NEAR(encoding.mean(0, d), posterior.mean[i], 1e-5);
    EXPECT_NEAR(encoding.log_variance(0, d), std::log(posterior.covariance[i * kLatents + i]), 1e-6);
  }
  const auto z = latent(5);
  const Matrix decoded = vae.decode(Matrix(1, kLatents, std::vector<float>(z.begin(), z.end())));
  double energy = vae.likelihood().negative_log(x, decoded.row(0), {});
  for (const double coordinate : z) {
    energy += 0.5 * (coordinate * coordinate + std::log(2.0 * std::numbers::pi));
  }
  // Float decoding, divided by a variance of 0.09.
  EXPECT_NEAR(energy, oracle_vae.energy(x, z, {}), 1e-4);
}

TEST(LinearVae, APerturbedEncoderIsWrongByAsMuchAsAsked) {
  const LinearVae vae = oracle();
  const VaeWeights exact = vae.weights();
  const VaeWeights shifted = vae.weights({.log_variance_shift = 0.5});
  const VaeWeights bent = vae.weights({.mean_error = 0.1}, Key(3));
  const auto exact_bias = exact.encoder.bias(exact.encoder.layers[0]);
  const auto shifted_bias = shifted.encoder.bias(shifted.encoder.layers[0]);
  for (std::size_t d = 0; d < kLatents; ++d) {
    EXPECT_EQ(shifted_bias[d], exact_bias[d]);
    EXPECT_NEAR(shifted_bias[kLatents + d] - exact_bias[kLatents + d], 0.5, 1e-6);
  }
  double squares = 0.0;
  for (std::size_t i = 0; i < kLatents * kPixels; ++i) {
    squares += std::pow(bent.encoder.parameters[i] / exact.encoder.parameters[i] - 1.0, 2);
  }
  // 21 normals: the root mean square is within 0.05 and 0.15 in all but 1 of 10^5 draws.
  EXPECT_NEAR(std::sqrt(squares / (kLatents * kPixels)), 0.1, 0.05);
  EXPECT_NE(bent.encoder.parameters, vae.weights({.mean_error = 0.1}, Key(4)).encoder.parameters);
  EXPECT_EQ(bent.decoder.parameters, exact.decoder.parameters);
}

TEST(Gaussian, DivergenceAgreesWithTheOneDimensionalFormulaAndWithQuadrature) {
  const Gaussian p{{0.3}, {0.5}};
  const Gaussian q{{-0.4}, {1.7}};
  EXPECT_NEAR(kl_divergence(p, q), 0.5 * (0.5 / 1.7 + 0.49 / 1.7 - 1.0 + std::log(1.7 / 0.5)), 1e-12);
  double integral = 0.0;
  for (double z = -12.0; z < 12.0; z += 1e-3) {
    const std::vector<double> point{z};
    integral += 1e-3 * std::exp(log_density(p, point)) * (log_density(p, point) - log_density(q, point));
  }
  EXPECT_NEAR(kl_divergence(p, q), integral, 1e-9);
}

TEST(Gaussian, DivergenceOfCorrelatedGaussiansIsInvariantUnderLinearMaps) {
  const Gaussian p{{0.0, 1.0}, {1.0, 0.6, 0.6, 2.0}};
  const Gaussian q{{0.5, 0.0}, {1.5, -0.3, -0.3, 0.8}};
  // The map z -> (z1 + z2, z2).
  const auto mapped = [](const Gaussian& g) {
    const auto& c = g.covariance;
    return Gaussian{{g.mean[0] + g.mean[1], g.mean[1]}, {c[0] + 2 * c[1] + c[3], c[1] + c[3], c[1] + c[3], c[3]}};
  };
  EXPECT_NEAR(kl_divergence(p, q), kl_divergence(mapped(p), mapped(q)), 1e-12);
  EXPECT_NEAR(kl_divergence(p, p), 0.0, 1e-12);
  EXPECT_GT(kl_divergence(p, q), 0.0);
}

TEST(LinearVae, WrongShapesAndVariancesAreNamed) {
  EXPECT_THAT(
      [] {
        LinearVae(Matrix(2, 1), {0.0F, 0.0F}, 0.0);
      },
      testing::ThrowsMessage<Misuse>("[models.linear_vae] variance must be finite and > 0, got 0"));
  EXPECT_THROW(LinearVae(Matrix(2, 1), {0.0F}, 1.0), Misuse);
  EXPECT_THROW(static_cast<void>(oracle().posterior(std::vector<float>(2))), Misuse);
  EXPECT_THROW(oracle().energy(image(), std::vector<double>(2), {}), Misuse);
  EXPECT_THROW(kl_divergence({{0.0}, {1.0}}, {{0.0}, {-1.0}}), Misuse);
  EXPECT_THROW(kl_divergence({{0.0}, {1.0}}, {{0.0, 0.0}, {1.0, 0.0, 0.0, 1.0}}), Misuse);
}

}  // namespace
}  // namespace vaeguard::models
