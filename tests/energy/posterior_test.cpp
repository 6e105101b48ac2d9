// Posterior energies against the double-precision reference, finite differences and the linear VAE's closed form.
#include "vaeguard/energy/posterior.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/models/likelihood_options.h"
#include "tests/networks/bfloat16_here.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/models/conv_vae.h"
#include "vaeguard/models/linear_vae.h"

namespace vaeguard::energy {
namespace {

using models::Likelihood;
using models::Vae;
using models::VaeWeights;

const Likelihood kBernoulli = models::bernoulli();
const Likelihood kGaussian = models::gaussian(0.1);

VaeWeights random_vae(const Likelihood& likelihood) {
  VaeWeights weights = models::conv_vae({1, 28, 28}, likelihood, Key(11));
  for (const networks::Layer& layer : weights.decoder.layers) {
    fill_uniform(Key(12).fold(static_cast<std::uint64_t>(layer.bias_offset)), -0.5F, 0.5F, weights.decoder.bias(layer));
  }
  return weights;
}

Matrix random_images(std::int64_t count, std::int64_t pixels) {
  Matrix images(count, pixels);
  fill_uniform(Key(13), 0.0F, 1.0F, images.flat());
  return images;
}

Matrix random_latents(std::int64_t count, std::int64_t size) {
  Matrix latents(count, size);
  fill_normal(Key(14), latents.flat());
  return latents;
}

struct Evaluation {
  std::vector<double> values;
  Matrix gradients;
};

Evaluation evaluate(const ScalarField& field, std::int64_t first, const Matrix& latents) {
  Evaluation result{std::vector<double>(static_cast<std::size_t>(latents.rows())), {}};
  field.evaluate(consecutive(first, latents.rows()), latents, result.values, &result.gradients);
  return result;
}

double squared_norm(std::span<const double> values) {
  double sum = 0.0;
  for (const double value : values) {
    sum += value * value;
  }
  return sum;
}

TEST(PosteriorEnergy, AgreesWithDoublePrecisionForBothLikelihoods) {
  for (const Likelihood& likelihood : {kBernoulli, kGaussian}) {
    const Vae vae(random_vae(likelihood), "native");
    const Matrix images = random_images(6, 784);
    const PosteriorEnergy field(vae, images);
    const Matrix latents = random_latents(6, 64);
    const Evaluation actual = evaluate(field, 0, latents);
    EXPECT_EQ(field.size(), 6);
    EXPECT_EQ(field.dimension(), 64);
    for (std::int64_t b = 0; b < 6; ++b) {
      const auto row = latents.row(b);
      const std::vector<double> latent(row.begin(), row.end());
      std::vector<double> gradient;
      const double expected = reference_energy(vae.layers()->weights(), images.row(b), latent, &gradient);
      // Each decoder output errs by about 8 u sqrt(terms) = 8 * 6e-8 * sqrt(3000) = 2.6e-5 of the sums' magnitude,
      // here near 1; a value moves by its gradient (at most 1, or 1 / variance) at 784 outputs with random signs.
      const double slope = 1.0 / models::variance_of(likelihood);
      EXPECT_NEAR(actual.values[static_cast<std::size_t>(b)], expected, 2.6e-5 * slope * std::sqrt(784.0));
      const double scale = std::sqrt(squared_norm(gradient));
      for (std::int64_t d = 0; d < 64; ++d) {
        EXPECT_NEAR(actual.gradients(b, d), gradient[static_cast<std::size_t>(d)], 2.6e-5 * scale);
      }
    }
  }
}

// An output near a bound may err to its other side, where -log is 11.5 and its slope ends: about 784 x 2.6e-5 pixels.
TEST(PosteriorEnergy, AgreesWithDoublePrecisionForTheClampedBernoulli) {
  const Vae vae(random_vae(models::clamped_bernoulli()), "native");
  const Matrix images = random_images(6, 784);
  const PosteriorEnergy field(vae, images);
  const Matrix latents = random_latents(6, 64);
  const Evaluation actual = evaluate(field, 0, latents);
  for (std::int64_t b = 0; b < 6; ++b) {
    const auto row = latents.row(b);
    const double expected =
        reference_energy(vae.layers()->weights(), images.row(b), std::vector<double>(row.begin(), row.end()), nullptr);
    EXPECT_NEAR(actual.values[static_cast<std::size_t>(b)], expected, 1e-3 * expected);
  }
}

TEST(PosteriorEnergy, ReferenceGradientAgreesWithFiniteDifferences) {
  for (const Likelihood& likelihood : {kBernoulli, kGaussian}) {
    const VaeWeights weights = random_vae(likelihood);
    const Matrix images = random_images(1, 784);
    const Matrix row = random_latents(1, 64);
    std::vector<double> latent(row.row(0).begin(), row.row(0).end());
    std::vector<double> gradient;
    (void)reference_energy(weights, images.row(0), latent, &gradient);
    constexpr double kStep = 1e-5;
    int turned = 0;
    for (std::size_t d = 0; d < latent.size(); d += 7) {
      const double at = latent[d];
      latent[d] = at + kStep;
      const double above = reference_energy(weights, images.row(0), latent, nullptr);
      latent[d] = at - kStep;
      const double below = reference_energy(weights, images.row(0), latent, nullptr);
      latent[d] = at;
      // Rounding: 1e-13 of an energy of about 1e3 over 2e-5 is 1e-5; a ReLU that turns within the step shows more.
      turned += std::abs(gradient[d] - (above - below) / (2.0 * kStep)) > 1e-4 * (1.0 + std::abs(gradient[d])) ? 1 : 0;
    }
    EXPECT_LE(turned, 2) << "of 10 coordinates";
  }
}

TEST(PosteriorEnergy, FastGradientAgreesWithFiniteDifferencesOfTheReferenceEnergy) {
  for (const Likelihood& likelihood : {kBernoulli, kGaussian}) {
    const Vae vae(random_vae(likelihood), "native");
    const Matrix images = random_images(1, 784);
    const Matrix row = random_latents(1, 64);
    const Evaluation actual = evaluate(PosteriorEnergy(vae, images), 0, row);
    std::vector<double> direction;
    for (std::int64_t d = 0; d < 64; ++d) {
      direction.push_back(actual.gradients(0, d));
    }
    const double norm = std::sqrt(squared_norm(direction));
    const auto at = [&](double step) {
      std::vector<double> latent(row.row(0).begin(), row.row(0).end());
      for (std::size_t d = 0; d < latent.size(); ++d) {
        latent[d] += step * direction[d] / norm;
      }
      return reference_energy(vae.layers()->weights(), images.row(0), latent, nullptr);
    };
    // The slope along the gradient is its norm. Step 1e-4 leaves h^2 times a third derivative, and ReLUs that turn:
    // 1e-3.
    EXPECT_NEAR((at(1e-4) - at(-1e-4)) / 2e-4, norm, 1e-3 * norm);
  }
}

TEST(PosteriorEnergy, IsTheClosedFormOfTheLinearVae) {
  const auto oracle = models::LinearVae::random(Key(15), 40, 6, 0.7, 0.2);
  const Vae vae(oracle.weights());
  const Matrix images = random_images(9, 40);
  const Matrix latents = random_latents(9, 6);
  const PosteriorEnergy field(vae, images);
  const Evaluation actual = evaluate(field, 0, latents);
  for (std::int64_t b = 0; b < 9; ++b) {
    const auto row = latents.row(b);
    const std::vector<double> latent(row.begin(), row.end());
    std::vector<double> gradient(6);
    const double expected = oracle.energy(images.row(b), latent, gradient);
    std::vector<double> reference_gradient;
    EXPECT_NEAR(reference_energy(vae.layers()->weights(), images.row(b), latent, &reference_gradient), expected,
                1e-10 * expected);
    // Six terms an output: u * 10 relative on residuals of about 2, times 1 / variance = 5 each and 40 of them.
    EXPECT_NEAR(actual.values[static_cast<std::size_t>(b)], expected, 1e-4);
    for (std::size_t d = 0; d < 6; ++d) {
      EXPECT_NEAR(reference_gradient[d], gradient[d], 1e-10 * (1.0 + std::abs(gradient[d])));
      EXPECT_NEAR(actual.gradients.row(b)[d], gradient[d], 1e-4 * (1.0 + std::abs(gradient[d])));
    }
  }
}

TEST(PosteriorEnergy, ValuesAloneAreTheValuesWithGradients) {
  const Vae vae(random_vae(kBernoulli));
  const PosteriorEnergy field(vae, random_images(3, 784));
  const Matrix latents = random_latents(3, 64);
  std::vector<double> alone(3);
  field.evaluate(consecutive(0, latents.rows()), latents, alone, nullptr);
  EXPECT_EQ(alone, evaluate(field, 0, latents).values);
}

TEST(PosteriorEnergy, ABatchGivesEachImageBitwiseTheSameEnergyAndGradient) {
  constexpr std::int64_t kAll = 64;
  const Vae vae(random_vae(kBernoulli));
  const PosteriorEnergy field(vae, random_images(kAll, 784));
  const Matrix latents = random_latents(kAll, 64);
  const Evaluation all = evaluate(field, 0, latents);
  for (const std::int64_t batch : {1, 7}) {
    for (std::int64_t first = 0; first < kAll; first += batch) {
      const std::int64_t count = std::min(batch, kAll - first);
      const Evaluation part = evaluate(field, first, latents.slice(first, count));
      EXPECT_EQ(part.gradients, all.gradients.slice(first, count));
      EXPECT_TRUE(std::ranges::equal(
          part.values,
          std::span(all.values).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count))));
    }
  }
}

TEST(PosteriorEnergy, ImagesInAnotherOrderGiveTheSameEnergies) {
  const Vae vae(random_vae(kBernoulli));
  const Matrix images = random_images(20, 784);
  const Matrix latents = random_latents(20, 64);
  const Evaluation all = evaluate(PosteriorEnergy(vae, images), 0, latents);
  const auto order = permutation(Key(16), 20);
  const Evaluation shuffled = evaluate(PosteriorEnergy(vae, images.gather(order)), 0, latents.gather(order));
  EXPECT_EQ(shuffled.gradients, all.gradients.gather(order));
  for (std::size_t b = 0; b < order.size(); ++b) {
    EXPECT_EQ(shuffled.values[b], all.values[static_cast<std::size_t>(order[b])]);
  }
}

TEST(PosteriorEnergy, EvaluatesAnyFunctionsInAnyOrder) {
  const Vae vae(random_vae(kGaussian));
  const PosteriorEnergy field(vae, random_images(20, 784));
  const Matrix latents = random_latents(20, 64);
  const Evaluation all = evaluate(field, 0, latents);
  const std::vector<std::int64_t> functions{19, 3, 3, 0, 11};
  std::vector<double> values(functions.size());
  Matrix gradients;
  field.evaluate(functions, latents.gather(functions), values, &gradients);
  EXPECT_EQ(gradients, all.gradients.gather(functions));
  for (std::size_t i = 0; i < functions.size(); ++i) {
    EXPECT_EQ(values[i], all.values[static_cast<std::size_t>(functions[i])]);
  }
  field.gradients(functions, latents.gather(functions), gradients);
  EXPECT_EQ(gradients, all.gradients.gather(functions));
}

TEST(PosteriorEnergy, ThreadsThatShareAFieldGetTheSameResults) {
  constexpr std::int64_t kAll = 100;
  const Vae vae(random_vae(kGaussian));
  const PosteriorEnergy field(vae, random_images(kAll, 784));
  const Matrix latents = random_latents(kAll, 64);
  const auto run = [&](int threads) {
    Evaluation result{std::vector<double>(kAll), Matrix(kAll, 64)};
    parallel_chunks(kAll, 9, threads, [&](std::int64_t first, std::int64_t count) {
      const Evaluation part = evaluate(field, first, latents.slice(first, count));
      std::ranges::copy(part.values, result.values.begin() + first);
      result.gradients.assign(first, part.gradients);
    });
    return result;
  };
  const Evaluation one = run(1);
  for (int repeat = 0; repeat < 3; ++repeat) {
    const Evaluation two = run(2);
    EXPECT_EQ(one.values, two.values);
    EXPECT_EQ(one.gradients, two.gradients);
  }
}

TEST(PosteriorEnergy, GradientsAloneAreThoseOfEvaluateBitForBit) {
  for (const Likelihood& likelihood : {kBernoulli, kGaussian}) {
    for (const auto precision : {networks::Precision::float32, networks::Precision::bfloat16}) {
      const Vae vae(random_vae(likelihood), "native", precision);
      ASSERT_EQ(vae.layers()->refusal(), "");
      const PosteriorEnergy field(vae, random_images(9, 784));
      const Matrix latents = random_latents(7, 64);
      Matrix gradients;
      field.gradients(consecutive(2, latents.rows()), latents, gradients);
      EXPECT_EQ(gradients, evaluate(field, 2, latents).gradients);
    }
  }
}

TEST(PosteriorEnergy, MixedPrecisionKeepsTheValuesAndGivesCloseGradients) {
  for (const Likelihood& likelihood : {kBernoulli, kGaussian}) {
    const Vae exact(random_vae(likelihood), "native");
    const Vae mixed(random_vae(likelihood), "native", networks::Precision::bfloat16);
    EXPECT_FALSE(exact.mixed());
    ASSERT_TRUE(mixed.mixed()) << mixed.layers()->refusal();
    const Matrix images = random_images(50, 784);
    const Matrix latents = random_latents(50, 64);
    const Evaluation a = evaluate(PosteriorEnergy(exact, images), 0, latents);
    const PosteriorEnergy field(mixed, images);
    const Evaluation b = evaluate(field, 0, latents);
    EXPECT_EQ(a.values, b.values);
    std::vector<double> alone(50);
    field.evaluate(consecutive(0, latents.rows()), latents, alone, nullptr);
    EXPECT_EQ(alone, a.values);
    EXPECT_NE(a.gradients, b.gradients);
    double error = 0.0;
    double norm = 0.0;
    for (std::size_t i = 0; i < a.gradients.values().size(); ++i) {
      const double difference = static_cast<double>(b.gradients.values()[i]) - a.gradients.values()[i];
      error += difference * difference;
      norm += static_cast<double>(a.gradients.values()[i]) * a.gradients.values()[i];
    }
    // Half a percent of the ReLUs are silenced by one side only, each with its share of the gradient: 7 % of its norm.
    EXPECT_LT(error, 0.15 * 0.15 * norm);
  }
}

TEST(PosteriorEnergy, MixedResultsDoNotDependOnBatchesAndThreads) {
  constexpr std::int64_t kAll = 40;
  const Vae vae(random_vae(kBernoulli), "native", networks::Precision::bfloat16);
  const PosteriorEnergy field(vae, random_images(kAll, 784));
  const Matrix latents = random_latents(kAll, 64);
  const Evaluation all = evaluate(field, 0, latents);
  Matrix gradients(kAll, 64);
  parallel_chunks(kAll, 3, 2, [&](std::int64_t first, std::int64_t count) {
    Matrix part;
    field.gradients(consecutive(first, count), latents.slice(first, count), part);
    gradients.assign(first, part);
  });
  EXPECT_EQ(gradients, all.gradients);
}

TEST(PosteriorEnergy, BackendsAgree) {
  const VaeWeights weights = random_vae(kBernoulli);
  const Vae native(weights, "native");
  const Vae reference(weights, "reference");
  const Matrix images = random_images(3, 784);
  const Matrix latents = random_latents(3, 64);
  const Evaluation a = evaluate(PosteriorEnergy(native, images), 0, latents);
  const Evaluation b = evaluate(PosteriorEnergy(reference, images), 0, latents);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(a.values[i], b.values[i], 1e-3);  // as against the reference above
  }
}

TEST(PosteriorEnergy, LatentsThatAreNoNumbersGiveNoFiniteEnergy) {
  const Vae vae(random_vae(kBernoulli));
  const PosteriorEnergy field(vae, random_images(2, 784));
  Matrix latents = random_latents(2, 64);
  latents(0, 3) = std::numeric_limits<float>::quiet_NaN();
  const Evaluation result = evaluate(field, 0, latents);
  EXPECT_FALSE(std::isfinite(result.values[0]));
  EXPECT_TRUE(std::isfinite(result.values[1]));
}

TEST(PosteriorEnergy, BadImagesAreRefused) {
  const Vae vae(random_vae(kBernoulli));
  EXPECT_THROW(PosteriorEnergy(vae, Matrix(2, 783)), Misuse);
  Matrix images(2, 784);
  images(1, 5) = std::numeric_limits<float>::infinity();
  EXPECT_THROW(PosteriorEnergy(vae, images), Misuse);
}

}  // namespace
}  // namespace vaeguard::energy
