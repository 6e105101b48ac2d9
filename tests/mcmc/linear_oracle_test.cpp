// HMC on the linear VAE gives the posterior's closed-form mean, covariance and law.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/mcmc/replicates.h"
#include "tests/mcmc/statistics.h"
#include "vaeguard/energy/posterior.h"
#include "vaeguard/mcmc/hmc.h"
#include "vaeguard/models/linear_vae.h"

namespace vaeguard::mcmc {
namespace {

constexpr std::int64_t kChains = 20000;
constexpr std::size_t kLatents = 4;
constexpr std::int64_t kPixels = 30;

/// Lower Cholesky factor of a row-major [n, n] matrix.
std::vector<double> cholesky(const std::vector<double>& matrix, std::size_t n) {
  std::vector<double> lower(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = matrix[i * n + j];
      for (std::size_t k = 0; k < j; ++k) {
        sum -= lower[i * n + k] * lower[j * n + k];
      }
      lower[i * n + j] = i == j ? std::sqrt(sum) : sum / lower[j * n + j];
    }
  }
  return lower;
}

/// L^-1 (z - mean): standard normal exactly if z is a draw of the Gaussian.
std::vector<double> whiten(std::span<const float> z, const models::Gaussian& gaussian,
                           const std::vector<double>& lower) {
  std::vector<double> white(kLatents);
  for (std::size_t i = 0; i < kLatents; ++i) {
    white[i] = z[i] - gaussian.mean[i];
    for (std::size_t j = 0; j < i; ++j) {
      white[i] -= lower[i * kLatents + j] * white[j];
    }
    white[i] /= lower[i * kLatents + i];
  }
  return white;
}

TEST(LinearOracleStatistical, HmcGivesMeanCovarianceAndLawOfThePosterior) {
  const auto oracle = models::LinearVae::random(Key(51), kPixels, kLatents, 0.35, 0.4);
  const models::Vae vae(oracle.weights());
  Matrix image(1, kPixels);
  fill_normal(Key(52), image.flat());
  for (std::int64_t i = 0; i < kPixels; ++i) {  // noise around the image of the latent code (2, 2, 2, 2)
    image(0, i) = 0.5F + 0.6F * image(0, i);
    for (std::int64_t d = 0; d < oracle.latents(); ++d) {
      image(0, i) += 2.0F * oracle.weight()(i, d);
    }
  }
  const models::Gaussian posterior = oracle.posterior(image.row(0));
  const energy::PosteriorEnergy field(vae, repeat_rows(image, kChains));

  // Chains start at 0, many posterior deviations away, and run long enough to forget it (1.5 radians a transition).
  Setting setting{.step_size = 0.5, .transitions = 25};
  double distance = 0.0;
  for (std::size_t d = 0; d < kLatents; ++d) {
    setting.inverse_mass.push_back(static_cast<float>(posterior.covariance[d * kLatents + d]));
    distance += posterior.mean[d] * posterior.mean[d] / posterior.covariance[d * kLatents + d];
  }
  EXPECT_GT(std::sqrt(distance), 3.0);
  const Outcome outcome =
      advance(Hmc({.leapfrog_steps = 3, .jitter = 0.2}), field, Matrix(kChains, kLatents), setting, Key(53));
  EXPECT_GT(outcome.mean_acceptance, 0.6);
  EXPECT_EQ(outcome.divergences, 0);

  const auto lower = cholesky(posterior.covariance, kLatents);
  std::vector<std::vector<double>> coordinates(kLatents);
  std::vector<double> mean(kLatents, 0.0);
  std::vector<double> second(kLatents * kLatents, 0.0);
  for (std::int64_t b = 0; b < kChains; ++b) {
    const auto white = whiten(outcome.positions.row(b), posterior, lower);
    for (std::size_t i = 0; i < kLatents; ++i) {
      coordinates[i].push_back(statistics::normal_cdf(white[i]));
      mean[i] += white[i] / kChains;
      for (std::size_t j = 0; j < kLatents; ++j) {
        second[i * kLatents + j] += white[i] * white[j] / kChains;
      }
    }
  }
  // 4 means and 16 second moments share the false-fail rate of 1e-9. A mean of n standard normals exceeds
  // sqrt(2 t / n) with probability 2 exp(-t) at most; a mean of their squares strays from 1 by more than
  // 2 sqrt(t / n) + 2 t / n with probability 2 exp(-t) (Laurent and Massart 2000), and a mean of products of two is
  // half a difference of two such means.
  const double t = std::log(4.0 * 20.0 / statistics::kFalseFailRate);
  const double mean_bound = std::sqrt(2.0 * t / kChains);
  const double second_bound = 2.0 * std::sqrt(t / kChains) + 2.0 * t / kChains;
  EXPECT_LT(mean_bound, 0.06);  // posterior deviations
  EXPECT_LT(second_bound, 0.08);
  for (std::size_t i = 0; i < kLatents; ++i) {
    EXPECT_NEAR(mean[i], 0.0, mean_bound);
    for (std::size_t j = 0; j < kLatents; ++j) {
      EXPECT_NEAR(second[i * kLatents + j], i == j ? 1.0 : 0.0, second_bound);
    }
  }
  statistics::Judgement judgement;
  for (auto& uniforms : coordinates) {
    judgement.add_uniform("coordinate", std::move(uniforms));
  }
  statistics::expect_holds(judgement, 0.05);
}

}  // namespace
}  // namespace vaeguard::mcmc
