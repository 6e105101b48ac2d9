// Latent distances against closed forms and against KL divergences written out.
#include "vaeguard/metrics/latent.h"

#include <gtest/gtest.h>

#include <cmath>

#include "vaeguard/base/error.h"
#include "vaeguard/base/random.h"

namespace vaeguard::metrics {
namespace {

double kl(double mean_p, double logvar_p, double mean_q, double logvar_q) {
  const double difference = mean_p - mean_q;
  return 0.5 * (logvar_q - logvar_p + (std::exp(logvar_p) + difference * difference) / std::exp(logvar_q) - 1.0);
}

TEST(SymmetricKl, IsTheMeanOfBothDivergences) {
  Matrix encoding(4, 6);  // rows: mean p, log-variance p, mean q, log-variance q
  fill_normal(Key(11), encoding.flat());
  double expected = 0.0;
  for (std::int64_t j = 0; j < encoding.columns(); ++j) {
    expected += 0.5 * kl(encoding(0, j), encoding(1, j), encoding(2, j), encoding(3, j)) +
                0.5 * kl(encoding(2, j), encoding(3, j), encoding(0, j), encoding(1, j));
  }
  const auto found =
      symmetric_kl(encoding.slice(0, 1), encoding.slice(1, 1), encoding.slice(2, 1), encoding.slice(3, 1));
  EXPECT_NEAR(found.at(0), expected, 1e-12 * expected);
}

TEST(SymmetricKl, OfUnitGaussiansIsHalfTheSquaredDistance) {
  const Matrix zero(1, 3);
  const Matrix mean(1, 3, std::vector<float>{1.0F, 2.0F, -3.0F});
  EXPECT_DOUBLE_EQ(symmetric_kl(mean, zero, zero, zero).at(0), 0.5 * (1.0 + 4.0 + 9.0));
}

TEST(SymmetricKl, OfScalesAloneIsAHyperbolicCosine) {
  const Matrix zero(1, 2);
  const Matrix logvar(1, 2, std::vector<float>{1.0F, -2.0F});
  EXPECT_NEAR(symmetric_kl(zero, logvar, zero, zero).at(0), 0.5 * (std::cosh(1.0) - 1.0 + std::cosh(2.0) - 1.0), 1e-14);
}

TEST(SymmetricKl, IsZeroForEqualEncodingsAndKeepsItsDigitsNearby) {
  const Matrix mean(2, 4, 0.3F);
  const Matrix logvar(2, 4, -1.5F);
  EXPECT_EQ(symmetric_kl(mean, logvar, mean, logvar), (std::vector<double>{0.0, 0.0}));
  const Matrix zero(1, 1);
  const Matrix tiny(1, 1, 1e-6F);
  EXPECT_NEAR(symmetric_kl(zero, tiny, zero, zero).at(0) / 0.25e-12, 1.0, 1e-6);
}

TEST(SymmetricKl, RefusesShapesThatDisagree) {
  const Matrix mean(2, 4);
  const Matrix other(2, 3);
  EXPECT_THROW(symmetric_kl(mean, mean, mean, other), Misuse);
  EXPECT_THROW(symmetric_kl(mean, mean.slice(0, 1), mean, mean), Misuse);
}

TEST(LatentDistance, IsPythagoras) {
  const Matrix a(2, 2, std::vector<float>{0.0F, 0.0F, 1.0F, 1.0F});
  const Matrix b(2, 2, std::vector<float>{3.0F, 4.0F, 1.0F, 1.0F});
  EXPECT_EQ(latent_distance(a, b), (std::vector<double>{5.0, 0.0}));
  EXPECT_THROW(latent_distance(a, b.slice(0, 1)), Misuse);
}

}  // namespace
}  // namespace vaeguard::metrics
