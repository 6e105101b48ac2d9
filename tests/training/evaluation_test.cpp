// ELBO and importance-weighted likelihood against a model whose likelihood is known.
#include "vaeguard/training/evaluation.h"

#include <numbers>

#include "tests/training/tiny_vae.h"
#include "vaeguard/base/error.h"
#include "vaeguard/models/realnvp.h"

namespace vaeguard::training {
namespace {

// One latent z, one pixel: x | z ~ N(w z, s^2), so x ~ N(0, w^2 + s^2). With the encoder's mean a x and variance v
// equal to the posterior's, ELBO and importance-weighted bound are both log p(x), whatever the draws.
models::VaeWeights known_vae(float w, double noise, float mean_slope, float log_variance) {
  models::VaeWeights vae{.architecture = "known",
                         .encoder = {.inputs = {{1, 1, 1}}},
                         .decoder = {.inputs = {{1, 1, 1}}},
                         .likelihood = models::gaussian(noise)};
  vae.encoder.add(networks::Operation::convolution, {.channels = 2});
  vae.decoder.add(networks::Operation::transposed_convolution, {.channels = 1});
  vae.encoder.parameters = {mean_slope, 0.0F, 0.0F, log_variance};
  vae.decoder.parameters = {w, 0.0F};
  return vae;
}

double exact_nll(const Matrix& images, double variance) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < images.rows(); ++i) {
    const double x = images(i, 0);
    sum += 0.5 * (x * x / variance + std::log(2.0 * std::numbers::pi * variance));
  }
  return sum / static_cast<double>(images.rows());
}

Matrix pixels() {
  Matrix images(50, 1);
  fill_uniform(Key(1), -1.0F, 1.0F, images.flat());
  return images;
}

constexpr float kWeight = 1.5F;
constexpr double kNoise = 0.5;
constexpr double kPrecision = 1.0 + kWeight * kWeight / kNoise;  // of the posterior

TEST(Evaluation, ImportanceWeightedLikelihoodIsExactWithTheExactPosterior) {
  const auto slope = static_cast<float>(kWeight / kNoise / kPrecision);
  const models::Vae vae(known_vae(kWeight, kNoise, slope, static_cast<float>(-std::log(kPrecision))));
  const Matrix images = pixels();
  const LikelihoodEstimate estimate = estimate_likelihood(vae, images, 70, Key(2), 1, silent_observer());
  // Every weight equals p(x), so only float rounding of the networks remains.
  EXPECT_NEAR(estimate.negative_log_likelihood, exact_nll(images, kWeight * kWeight + kNoise), 1e-5);
  EXPECT_EQ(estimate.images, 50);
}

// The expected ELBO is log p(x) - KL(q || posterior); with q = prior that gap is known. The one draw an image has
// standard error below 0.35 here, and 1000 images of the same pixel make it 0.011; five of them are allowed.
TEST(Evaluation, ElboFallsShortByTheDivergenceFromThePosterior) {
  const models::Vae vae(known_vae(kWeight, kNoise, 0.0F, 0.0F));
  const Matrix images(20'000, 1, 0.4F);
  const ElboEstimate estimate = estimate_elbo(vae, images, Key(3), 1);
  // E_z -log N(0.4; w z, s^2) for z ~ N(0, 1), and no divergence at all.
  const double expected = 0.5 * ((0.16 + kWeight * kWeight) / kNoise + std::log(2.0 * std::numbers::pi * kNoise));
  EXPECT_NEAR(-estimate.elbo, expected, 5.0 * estimate.standard_error);
  EXPECT_LT(estimate.standard_error, 0.05);
  EXPECT_EQ(estimate.divergence, 0.0);
}

TEST(Evaluation, MoreDrawsTightenTheBound) {
  const models::Vae vae(known_vae(kWeight, kNoise, 0.0F, 0.0F));
  const Matrix images = pixels();
  const double exact = exact_nll(images, kWeight * kWeight + kNoise);
  const double few = estimate_likelihood(vae, images, 1, Key(4), 1, silent_observer()).negative_log_likelihood;
  const double many = estimate_likelihood(vae, images, 2000, Key(4), 1, silent_observer()).negative_log_likelihood;
  EXPECT_GT(few, exact + 0.3);
  EXPECT_NEAR(many, exact, 0.02);  // weights have a relative deviation below 2.5: 2.5 / sqrt(2000 * 50) < 0.01
}

TEST(Evaluation, DoesNotDependOnThreads) {
  const models::Vae vae(tiny_vae());
  const Matrix images = tiny_images(70, Key(5)).pixels;
  const ElboEstimate one = estimate_elbo(vae, images, Key(6), 1);
  const ElboEstimate two = estimate_elbo(vae, images, Key(6), 2);
  EXPECT_EQ(one.elbo, two.elbo);
  EXPECT_EQ(estimate_likelihood(vae, images, 10, Key(6), 1, silent_observer()).negative_log_likelihood,
            estimate_likelihood(vae, images, 10, Key(6), 2, silent_observer()).negative_log_likelihood);
}

// Two latents, two pixels, and a prior that stretches the first latent by exp(s) for every z: z_0 ~ N(0, exp(-2 s)). So
// x_0 ~ N(0, w^2 exp(-2 s) + noise), and with the posterior as encoder each weight is p(x).
TEST(Evaluation, LikelihoodUnderALearnedPriorIsExactWithTheExactPosterior) {
  models::VaeWeights weights{.architecture = "known",
                             .encoder = {.inputs = {{2, 1, 1}}},
                             .decoder = {.inputs = {{2, 1, 1}}},
                             .likelihood = models::gaussian(kNoise)};
  weights.prior = models::realnvp(2, Key(1), {.couplings = 2, .hidden = 1, .bound = 1.0});
  networks::LayerGraph& coupling = weights.prior.couplings[1];  // keeps latent 1
  coupling.bias(coupling.layers.back())[0] = 0.7F;
  const double scale = std::exp(std::tanh(0.7));
  const double precision[] = {scale * scale + kWeight * kWeight / kNoise, kPrecision};
  weights.encoder.add(networks::Operation::convolution, {.channels = 4});
  weights.decoder.add(networks::Operation::convolution, {.channels = 2});
  const auto slope = [&](int d) { return static_cast<float>(kWeight / kNoise / precision[d]); };
  const auto log_variance = [&](int d) { return static_cast<float>(-std::log(precision[d])); };
  weights.encoder.parameters = {slope(0), 0.0F, 0.0F, slope(1),        0.0F,           0.0F, 0.0F,
                                0.0F,     0.0F, 0.0F, log_variance(0), log_variance(1)};
  weights.decoder.parameters = {kWeight, 0.0F, 0.0F, kWeight, 0.0F, 0.0F};
  const Matrix first = pixels();
  Matrix images(first.rows(), 2);
  for (std::int64_t i = 0; i < images.rows(); ++i) {
    images(i, 0) = first(i, 0);
    images(i, 1) = first(i, 0);
  }
  const auto estimate = estimate_likelihood(models::Vae(weights), images, 70, Key(2), 1, silent_observer());
  const double exact =
      exact_nll(first, kWeight * kWeight / (scale * scale) + kNoise) + exact_nll(first, kWeight * kWeight + kNoise);
  EXPECT_NEAR(estimate.negative_log_likelihood, exact, 1e-5);
  // The ELBO has the same expectation there. Its draws differ by the prior's part alone; five standard errors.
  const ElboEstimate elbo = estimate_elbo(models::Vae(weights), repeat_rows(images, 200), Key(3), 1);
  EXPECT_NEAR(-elbo.elbo, exact, 5.0 * elbo.standard_error);
  EXPECT_LT(elbo.standard_error, 0.03);
}

TEST(Evaluation, RefusesNoImagesAndNoDraws) {
  const models::Vae vae(tiny_vae());
  EXPECT_THROW(estimate_elbo(vae, Matrix(0, 36), Key(1), 1), Misuse);
  EXPECT_THROW(estimate_elbo(vae, Matrix(1, 35), Key(1), 1), Misuse);
  EXPECT_THROW(estimate_likelihood(vae, Matrix(1, 36), 0, Key(1), 1, silent_observer()), Misuse);
}

}  // namespace
}  // namespace vaeguard::training
