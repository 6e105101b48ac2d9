// Distributions against closed forms and sums.
#include "vaeguard/base/distributions.h"

#include <cmath>
#include <numbers>

namespace vaeguard {
namespace {

TEST(Distributions, NormalQuantilesInvertTheErrorFunction) {
  for (const double z : {-8.0, -3.0, -1.0, 0.0, 0.5, 2.0, 6.0}) {
    const double probability = 0.5 * std::erfc(-z / std::numbers::sqrt2);
    // Near 1 the probability itself has only so many digits.
    EXPECT_NEAR(normal_quantile(probability), z, 1e-13 + (z > 3.0 ? 1e-7 : 0.0)) << z;
  }
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-15);
}

TEST(Distributions, StudentQuantilesHaveTheirClosedForms) {
  for (const double p : {0.1, 0.6, 0.975, 0.9995}) {
    EXPECT_NEAR(student_quantile(p, 1.0), std::tan(std::numbers::pi * (p - 0.5)), 1e-9);
    EXPECT_NEAR(student_quantile(p, 2.0), (2.0 * p - 1.0) / std::sqrt(2.0 * p * (1.0 - p)), 1e-10);
  }
}

TEST(Distributions, BinomialProbabilitiesAreSumsOfTheirTerms) {
  constexpr int kTrials = 12;
  constexpr double kChance = 0.3;
  double sum = 0.0;
  double term = std::pow(1.0 - kChance, kTrials);
  for (int count = 0; count <= kTrials; ++count) {
    sum += term;
    term *= static_cast<double>(kTrials - count) / (count + 1) * kChance / (1.0 - kChance);
    EXPECT_NEAR(binomial_at_most(count, kTrials, kChance), sum, 1e-14);
    EXPECT_NEAR(binomial_above(count, kTrials, kChance), 1.0 - sum, 1e-14);
  }
}

}  // namespace
}  // namespace vaeguard
