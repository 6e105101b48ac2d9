// The gradient of the evidence lower bound against finite differences, and its terms against formulas.
#include "vaeguard/training/elbo.h"

#include <algorithm>
#include <numbers>
#include <utility>

#include "tests/models/learned_prior.h"
#include "tests/training/tiny_vae.h"
#include "vaeguard/models/reference_prior.h"
#include "vaeguard/training/trainer_state.h"

namespace vaeguard::training {
namespace {

struct Problem {
  models::VaeWeights vae;
  Matrix images = tiny_images(5, Key(1)).pixels;
  Matrix noise = Matrix(5, 2);

  explicit Problem(const models::Likelihood& likelihood, models::PriorWeights prior = {}) : vae(tiny_vae(likelihood)) {
    vae.prior = std::move(prior);
    fill_normal(Key(2), noise.flat());
  }

  // Loss and gradient at the VAE's present parameters.
  double loss(double beta, std::vector<float>& gradient) const {
    const auto encoder = networks::compile_trainable(vae.encoder);
    const auto decoder = networks::compile_trainable(vae.decoder);
    const models::TrainablePrior prior(vae.prior);
    const VaeNetworks networks{*encoder, *decoder, vae.likelihood, prior};
    ElboWorkspace workspace(*encoder, *decoder);
    gradient.assign(networks.parameters(), 0.0F);
    return elbo_gradient(networks, images, noise, beta, workspace, gradient).loss(beta);
  }
  void set_parameter(std::size_t i, float value) {
    std::vector<float> parameters = parameters_of(vae);
    parameters[i] = value;
    assign_parameters(parameters, vae);
  }
};

// Networks run in float: a loss of about 100 carries rounding of about 1e-5, which a step of 2^-9 to either side turns
// into 3e-3; curvature adds h^2/6 times the third derivative. A ReLU that switches within the step would give more, so
// a share of 4 % of the parameters may disagree; a wrong formula disagrees nearly everywhere.
void expect_gradient_of_differences(const models::Likelihood& likelihood, double beta,
                                    const models::PriorWeights& prior = {}) {
  Problem problem(likelihood, prior);
  std::vector<float> gradient;
  problem.loss(beta, gradient);
  std::vector<float> ignored;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    constexpr float kStep = 0x1p-9F;
    const float value = parameters_of(problem.vae)[i];
    problem.set_parameter(i, value + kStep);
    const double up = problem.loss(beta, ignored);
    problem.set_parameter(i, value - kStep);
    const double down = problem.loss(beta, ignored);
    problem.set_parameter(i, value);
    const double slope = (up - down) / (2.0 * kStep);
    wrong += std::abs(slope - gradient[i]) > 5e-3 * (1.0 + std::abs(slope)) ? 1 : 0;
  }
  EXPECT_LE(static_cast<double>(wrong), 0.04 * static_cast<double>(gradient.size()));
}

TEST(Elbo, GradientAgreesWithFiniteDifferencesForBernoulli) { expect_gradient_of_differences({}, 1.0); }

TEST(Elbo, GradientAgreesWithFiniteDifferencesForGaussianAndOtherBeta) {
  expect_gradient_of_differences(models::gaussian(0.5), 4.0);
}

TEST(Elbo, GradientAgreesWithFiniteDifferencesForALearnedPrior) {
  const auto prior = models::learned_prior(2, Key(7), {.couplings = 3, .hidden = 5});
  expect_gradient_of_differences({}, 1.0, prior);
  expect_gradient_of_differences(models::gaussian(0.5), 4.0, prior);
}

// Divergence 1 / 2 sum (mean^2 + variance - 1 - log variance) is the expectation of log q - log N; the rest is at the
// draw. Over draws, both forms of the divergence have the same mean.
TEST(Elbo, DivergenceFromALearnedPriorHasTheMeanOfLogRatios) {
  const auto weights = models::learned_prior(2, Key(7), {.couplings = 3, .hidden = 5});
  constexpr std::int64_t kDraws = 3'000;
  const Matrix encoded = repeat_rows(Matrix(1, 4, std::vector<float>{0.3F, -0.8F, -1.0F, -0.2F}), kDraws);
  Matrix noise(kDraws, 2);
  fill_normal(Key(8), noise.flat());
  Matrix latents;
  reparametrise(encoded, noise, latents);
  models::PriorTape tape;
  const std::vector<double> found = divergences(models::Prior(weights), encoded, latents, tape);
  double mean_gap = 0.0;
  double squares = 0.0;
  for (std::int64_t i = 0; i < kDraws; ++i) {
    const std::vector<double> latent(latents.row(i).begin(), latents.row(i).end());
    double log_q = -std::log(2.0 * std::numbers::pi);
    for (std::int64_t d = 0; d < 2; ++d) {
      log_q -= 0.5 * (encoded(i, 2 + d) + noise(i, d) * noise(i, d));
    }
    const double gap =
        found[static_cast<std::size_t>(i)] - (log_q + models::reference_prior_energy(weights, latent, nullptr));
    mean_gap += gap / kDraws;
    squares += gap * gap / kDraws;
  }
  // Six standard errors of the mean: false-fail rate 2e-9.
  EXPECT_LT(std::abs(mean_gap), 6.0 * std::sqrt(squares / kDraws));
  EXPECT_GT(squares, 0.1) << "two estimates, not one";
}

TEST(Elbo, GradientIsAddedToWhatIsThere) {
  const Problem problem({});
  std::vector<float> once;
  problem.loss(1.0, once);
  const auto encoder = networks::compile_trainable(problem.vae.encoder);
  const auto decoder = networks::compile_trainable(problem.vae.decoder);
  ElboWorkspace workspace(*encoder, *decoder);
  std::vector<float> twice(once.size());
  for (int i = 0; i < 2; ++i) {
    elbo_gradient({*encoder, *decoder, problem.vae.likelihood}, problem.images, problem.noise, 1.0, workspace, twice);
  }
  for (std::size_t i = 0; i < once.size(); ++i) {
    EXPECT_NEAR(twice[i], 2.0F * once[i], 1e-5F * (1.0F + std::abs(once[i])));
  }
}

TEST(Elbo, DivergenceIsZeroForThePriorAndKnownForOthers) {
  EXPECT_EQ(divergence_from_prior(std::vector<float>{0.0F, 0.0F, 0.0F, 0.0F}), 0.0);
  // mean 2, variance e: (4 + e - 1 - 1) / 2
  EXPECT_NEAR(divergence_from_prior(std::vector<float>{2.0F, 1.0F}), 0.5 * (2.0 + std::exp(1.0)), 1e-12);
}

TEST(Elbo, ReparametrisationShiftsAndScalesTheNoise) {
  Matrix latents;
  reparametrise(Matrix(1, 2, std::vector<float>{2.0F, std::log(9.0F)}), Matrix(1, 1, 0.5F), latents);
  EXPECT_NEAR(latents(0, 0), 2.0 + 3.0 * 0.5, 1e-6);
}

}  // namespace
}  // namespace vaeguard::training
