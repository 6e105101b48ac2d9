// The readable reference of priors, and the standard normal as the case of no couplings; prior_contract_test.cpp has
// what every prior promises.
#include "vaeguard/models/prior.h"

#include <numbers>

#include "tests/expect_misuse.h"
#include "tests/models/learned_prior.h"
#include "vaeguard/base/error.h"
#include "vaeguard/models/linear_vae.h"
#include "vaeguard/models/prior_design.h"
#include "vaeguard/models/reference_prior.h"

namespace vaeguard::models {
namespace {

std::vector<double> random_point(std::int64_t size, Key key) {
  std::vector<float> values(static_cast<std::size_t>(size));
  fill_normal(key, values);
  return {values.begin(), values.end()};
}

Matrix random_codes(std::int64_t count, std::int64_t size) {
  Matrix codes(count, size);
  fill_normal(Key(5), codes.flat());
  return codes;
}

// log |det J| of J = du/dz by central differences: N(0; 0, J J') = (2 pi)^(-D / 2) / |det J|. Step 1e-5 leaves h^2 / 6
// times third derivatives of order 1 to 10, and rounding of 1e-16 / 1e-5: 1e-9 of each entry together.
double numeric_log_determinant(const PriorWeights& prior, std::vector<double> latent) {
  constexpr double kStep = 1e-5;
  const std::size_t size = latent.size();
  std::vector<std::vector<double>> columns;
  for (std::size_t d = 0; d < size; ++d) {
    const double at = latent[d];
    latent[d] = at + kStep;
    std::vector<double> column = reference_base(prior, latent).point;
    latent[d] = at - kStep;
    const std::vector<double> below = reference_base(prior, latent).point;
    latent[d] = at;
    std::ranges::transform(column, below, column.begin(), [](double a, double b) { return (a - b) / (2.0 * kStep); });
    columns.push_back(column);
  }
  Gaussian gaussian{.mean = std::vector<double>(size), .covariance = std::vector<double>(size * size)};
  for (std::size_t i = 0; i < size * size; ++i) {
    for (const std::vector<double>& column : columns) {
      gaussian.covariance[i] += column[i / size] * column[i % size];
    }
  }
  return -log_density(gaussian, gaussian.mean) - 0.5 * static_cast<double>(size) * std::log(2.0 * std::numbers::pi);
}

TEST(ReferencePrior, LogDeterminantIsTheJacobians) {
  for (const std::int64_t latents : {2, 3, 6, 7}) {
    for (const int couplings : {1, 2, 5}) {
      const PriorWeights prior = learned_prior(latents, Key(1), {.couplings = couplings, .hidden = 9});
      const auto latent = random_point(latents, Key(2));
      const double expected = numeric_log_determinant(prior, latent);
      EXPECT_GT(std::abs(expected), 1e-3) << "a determinant of 1 would say nothing";
      EXPECT_NEAR(reference_base(prior, latent).log_determinant, expected, 1e-6) << latents << ", " << couplings;
    }
  }
}

TEST(ReferencePrior, BasePointsLeadBackToTheirCodes) {
  const PriorWeights prior = learned_prior(7, Key(1));
  const auto latent = random_point(7, Key(2));
  const auto base = reference_base(prior, latent).point;
  const auto back = reference_from_base(prior, base);
  for (std::size_t d = 0; d < latent.size(); ++d) {
    EXPECT_NEAR(back[d], latent[d], 1e-12);
    EXPECT_NE(base[d], latent[d]) << "a coupling of each parity moves every dimension";
  }
}

TEST(ReferencePrior, GradientAgreesWithFiniteDifferences) {
  const PriorWeights prior = learned_prior(7, Key(1));
  auto latent = random_point(7, Key(2));
  std::vector<double> gradient;
  (void)reference_prior_energy(prior, latent, &gradient);
  for (std::size_t d = 0; d < latent.size(); ++d) {
    constexpr double kStep = 1e-5;
    const double at = latent[d];
    latent[d] = at + kStep;
    const double above = reference_prior_energy(prior, latent, nullptr);
    latent[d] = at - kStep;
    const double below = reference_prior_energy(prior, latent, nullptr);
    latent[d] = at;
    // Rounding: 1e-15 of an energy of about 20 over 2e-5; h^2 times third derivatives of order 10.
    EXPECT_NEAR(gradient[d], (above - below) / (2.0 * kStep), 1e-7 * (1.0 + std::abs(gradient[d])));
  }
}

// The trapezoid rule on a smooth density that is tiny at the border converges faster than any power of the spacing. Two
// couplings stretch N(0, I) by at most exp(bound) each, and shifts are of order 1: 12 is 12 / exp(0.5) > 6 deviations.
TEST(ReferencePrior, DensityIntegratesToOne) {
  const PriorWeights prior = learned_prior(2, Key(3), {.couplings = 2, .hidden = 8, .bound = 0.5});
  constexpr double kReach = 12.0;
  constexpr int kNodes = 140;
  constexpr double kSpacing = 2.0 * kReach / kNodes;
  double sum = 0.0;
  for (int i = 0; i <= kNodes; ++i) {
    for (int j = 0; j <= kNodes; ++j) {
      const std::vector<double> z{-kReach + kSpacing * i, -kReach + kSpacing * j};
      sum += std::exp(-reference_prior_energy(prior, z, nullptr));
    }
  }
  EXPECT_NEAR(sum * kSpacing * kSpacing, 1.0, 1e-6);
}

TEST(Prior, WithoutCouplingsIsTheStandardNormalBitForBit) {
  const Prior prior;
  const Matrix codes = random_codes(4, 5);
  PriorTape tape;
  prior.forward(codes, tape);
  prior.backward(tape);
  for (std::int64_t b = 0; b < 4; ++b) {
    EXPECT_EQ(tape.energy(b), standard_normal_energy(codes.row(b)));
  }
  EXPECT_TRUE(std::equal(tape.gradient.begin(), tape.gradient.end(), codes.values().begin(), codes.values().end()));
  EXPECT_EQ(prior.from_base(codes), codes);
  EXPECT_NEAR(standard_normal_energy(std::vector<float>{1.0F, 2.0F}), 2.5 + std::log(2.0 * std::numbers::pi), 1e-12);
}

TEST(Prior, NamesAndDescriptionsSayWhatItIs) {
  EXPECT_EQ(name(PriorWeights{}), "standard_normal");
  EXPECT_EQ(describe(realnvp(4, Key(1), {.couplings = 3})), "realnvp of 3 couplings");
  EXPECT_EQ(describe(design_of(PriorWeights{})), "standard_normal");
  EXPECT_EQ(describe(design_of(learned_prior(4, Key(1), {.couplings = 3}))),
            "realnvp, couplings 3, hidden 128, bound 2");
}

TEST(Prior, RefusesWhatMakesNoSense) {
  expect_misuse([] { (void)realnvp(1, Key(1)); }, {"needs at least 2, got 1"});
  expect_misuse([] { (void)realnvp(4, Key(1), {.couplings = 0}); },
                {"couplings must be a whole number from 1 to 64, got 0"});
  expect_misuse([] { (void)realnvp(4, Key(1), {.hidden = 0}); },
                {"hidden must be a whole number of at least 1, got 0"});
  expect_misuse([] { (void)realnvp(4, Key(1), {.bound = -1.0}); }, {"bound must be a number above 0, got -1"});
  expect_misuse([] { validate(realnvp(4, Key(1)), 5, "here"); },
                {"[here] coupling 0 of the prior must take 3 of 5 latents and give 4 values, it takes 2"});
  expect_misuse(
      [] {
        PriorTape tape;
        Prior(realnvp(4, Key(1))).forward(Matrix(2, 5), tape);
      },
      {"latents must be"});
}

}  // namespace
}  // namespace vaeguard::models
