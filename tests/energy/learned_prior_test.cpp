// Posterior energies of a VAE with a learned prior: against the reference, and through the maker.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/models/learned_prior.h"
#include "vaeguard/energy/maker.h"
#include "vaeguard/energy/posterior.h"
#include "vaeguard/models/linear_vae.h"

namespace vaeguard::energy {
namespace {

constexpr std::int64_t kLatents = 6;

models::VaeWeights learned_vae() {
  models::VaeWeights weights = models::LinearVae::random(Key(15), 40, kLatents, 0.7, 0.2).weights();
  weights.prior = models::learned_prior(kLatents, Key(16));
  return weights;
}

Matrix random(std::int64_t rows, std::int64_t columns, Key key) {
  Matrix matrix(rows, columns);
  fill_normal(key, matrix.flat());
  return matrix;
}

// An energy here is about 1000: 6e-8 of it for each of a few roundings in float, and the same of each slope.
TEST(LearnedPriorEnergy, AgreesWithTheReferenceOnEveryBackend) {
  for (const networks::Backend* backend : networks::backends()) {
    const models::Vae vae(learned_vae(), backend->name());
    const Matrix images = random(4, 40, Key(1));
    const Matrix latents = random(4, kLatents, Key(2));
    const PosteriorEnergy field(vae, images);
    std::vector<double> values(4);
    Matrix gradients;
    field.evaluate(consecutive(0, latents.rows()), latents, values, &gradients);
    Matrix again;
    field.gradients(consecutive(0, latents.rows()), latents, again);
    EXPECT_EQ(again, gradients) << backend->name();
    for (std::int64_t b = 0; b < 4; ++b) {
      const std::vector<double> latent(latents.row(b).begin(), latents.row(b).end());
      std::vector<double> gradient;
      const double expected = reference_energy(vae.layers()->weights(), images.row(b), latent, &gradient);
      EXPECT_NEAR(values[static_cast<std::size_t>(b)], expected, 2e-6 * (1.0 + std::abs(expected))) << backend->name();
      const double scale = std::abs(*std::ranges::max_element(gradient, {}, [](double g) { return std::abs(g); }));
      for (std::int64_t d = 0; d < kLatents; ++d) {
        EXPECT_NEAR(gradients(b, d), gradient[static_cast<std::size_t>(d)], 1e-5 * (1.0 + scale)) << backend->name();
      }
    }
  }
}

TEST(LearnedPriorEnergy, ReferenceGradientAgreesWithFiniteDifferences) {
  const models::VaeWeights weights = learned_vae();
  const Matrix image = random(1, 40, Key(1));
  const Matrix row = random(1, kLatents, Key(2));
  std::vector<double> latent(row.row(0).begin(), row.row(0).end());
  std::vector<double> gradient;
  (void)reference_energy(weights, image.row(0), latent, &gradient);
  for (std::size_t d = 0; d < latent.size(); ++d) {
    constexpr double kStep = 1e-5;
    const double at = latent[d];
    latent[d] = at + kStep;
    const double above = reference_energy(weights, image.row(0), latent, nullptr);
    latent[d] = at - kStep;
    const double below = reference_energy(weights, image.row(0), latent, nullptr);
    latent[d] = at;
    // Rounding: 1e-13 of an energy of about 1e3 over 2e-5.
    EXPECT_NEAR(gradient[d], (above - below) / (2.0 * kStep), 1e-6 * (1.0 + std::abs(gradient[d])));
  }
}

TEST(LearnedPriorEnergy, APriorOnlyAddsItsDifferenceFromTheStandardNormal) {
  const models::VaeWeights learned = learned_vae();
  models::VaeWeights plain = learned;
  plain.prior = {};
  const Matrix images = random(4, 40, Key(1));
  const Matrix latents = random(4, kLatents, Key(2));
  const models::Vae learned_model(learned);
  const models::Vae plain_model(plain);
  const auto with = values_of(PosteriorEnergy(learned_model, images), latents, 1);
  const auto without = values_of(PosteriorEnergy(plain_model, images), latents, 1);
  models::PriorTape tape;
  learned_model.layers()->prior().forward(latents, tape);
  for (std::int64_t b = 0; b < 4; ++b) {
    const auto at = static_cast<std::size_t>(b);
    EXPECT_NEAR(with[at] - without[at], tape.energy(b) - models::standard_normal_energy(latents.row(b)),
                1e-10 * std::abs(with[at]));
    EXPECT_GT(std::abs(with[at] - without[at]), 0.01);
  }
}

}  // namespace
}  // namespace vaeguard::energy
