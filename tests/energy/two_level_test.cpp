// The posterior of a hierarchical model that knows nothing of layer graphs: gradients, batches, evidence.
#include "tests/two_level_vae.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/models/made_up_law.h"
#include "vaeguard/energy/maker.h"
#include "vaeguard/energy/posterior.h"

namespace vaeguard::energy {
namespace {

Matrix images(std::int64_t count) {
  Matrix result(count, models::kPixels);
  fill_uniform(Key(3), 0.0F, 1.0F, result.flat());
  return result;
}

Matrix codes(std::int64_t count) {
  Matrix result(count, models::kFirst + models::kSecond);
  fill_normal(Key(4), result.flat());
  return result;
}

TEST(TwoLevels, GradientsAgreeWithFiniteDifferences) {
  constexpr float kStep = 0x1p-7F;
  const models::Vae vae = models::two_level_vae();
  const PosteriorEnergy energy(vae, images(5));
  const Matrix at = codes(5);
  std::vector<double> values(5);
  Matrix gradients;
  energy.evaluate(consecutive(0, 5), at, values, &gradients);
  for (std::int64_t d = 0; d < at.columns(); ++d) {
    Matrix up = at;
    Matrix down = at;
    for (std::int64_t b = 0; b < 5; ++b) {
      up(b, d) += kStep;
      down(b, d) -= kStep;
    }
    const auto above = values_of(energy, up, 1);
    const auto below = values_of(energy, down, 1);
    for (std::size_t b = 0; b < 5; ++b) {
      // Energies of some 40 nats from float networks err by 1e-5, so the quotient by 1e-3.
      const double slope = gradients(static_cast<std::int64_t>(b), d);
      EXPECT_NEAR(slope, (above[b] - below[b]) / (2.0 * kStep), 5e-3 * (1.0 + std::abs(slope))) << b << " " << d;
    }
  }
}

TEST(TwoLevels, TheEncodersGradientsAgreeWithFiniteDifferencesForOneGroupAndForBoth) {
  constexpr float kStep = 0x1p-8F;
  const models::TwoLevelRecognition recognition;
  const Matrix at = images(1);
  for (const std::int64_t groups : {1, 2}) {
    const std::int64_t outputs = 2 * recognition.latents().size_of_first(groups);
    Matrix weights(1, outputs);
    fill_normal(Key(9), weights.flat());
    const auto weighted = [&](const Matrix& image) {
      Matrix encoded;
      recognition.forward(image, groups, encoded, *recognition.make_tape());
      double sum = 0.0;
      for (std::int64_t k = 0; k < outputs; ++k) {
        sum += static_cast<double>(weights(0, k)) * encoded(0, k);
      }
      return sum;
    };
    const auto tape = recognition.make_tape();
    Matrix encoded;
    Matrix gradients;
    recognition.forward(at, groups, encoded, *tape);
    ASSERT_EQ(encoded.columns(), outputs);
    recognition.backward(weights, gradients, *tape);
    for (std::int64_t i = 0; i < at.columns(); ++i) {
      Matrix up = at;
      Matrix down = at;
      up(0, i) += kStep;
      down(0, i) -= kStep;
      EXPECT_NEAR(gradients(0, i), (weighted(up) - weighted(down)) / (2.0 * kStep), 2e-3) << groups << " " << i;
    }
  }
}

TEST(TwoLevels, TangentsAreTheTransposeOfGradients) {
  const models::Vae vae = models::two_level_vae();
  const auto expect_transpose = [](const Matrix& tangent, const Matrix& pushed, const Matrix& gradient,
                                   const Matrix& pulled) {
    double forward = 0.0;
    double backward = 0.0;
    for (std::size_t i = 0; i < pushed.values().size(); ++i) {
      forward += static_cast<double>(pushed.values()[i]) * gradient.values()[i];
    }
    for (std::size_t i = 0; i < tangent.values().size(); ++i) {
      backward += static_cast<double>(tangent.values()[i]) * pulled.values()[i];
    }
    EXPECT_NEAR(forward, backward, 1e-4 * (1.0 + std::abs(forward)));
  };
  Matrix out;
  Matrix pushed;
  Matrix pulled;
  Matrix gradient(3, models::kPixels);
  fill_normal(Key(11), gradient.flat());
  const auto decoder = vae.generative().make_tape();
  vae.generative().forward(codes(3), out, {}, *decoder);
  vae.generative().tangent(codes(3), pushed, *decoder);
  vae.generative().backward(gradient, pulled, *decoder);
  expect_transpose(codes(3), pushed, gradient, pulled);
  for (const std::int64_t groups : {1, 2}) {
    const auto encoder = vae.recognition().make_tape();
    Matrix weights(3, 2 * vae.latents().size_of_first(groups));
    fill_normal(Key(12), weights.flat());
    vae.recognition().forward(images(3), groups, out, *encoder);
    vae.recognition().tangent(images(3), pushed, *encoder);
    vae.recognition().backward(weights, pulled, *encoder);
    expect_transpose(images(3), pushed, weights, pulled);
  }
}

TEST(TwoLevels, ARowsEnergyDoesNotDependOnItsBatch) {
  const models::Vae vae = models::two_level_vae();
  const PosteriorEnergy all(vae, images(7));
  const auto whole = values_of(all, codes(7), 2);
  std::vector<double> one(1);
  Matrix gradient;
  Matrix gradients;
  std::vector<double> seven(7);
  all.evaluate(consecutive(0, 7), codes(7), seven, &gradients);
  all.evaluate(consecutive(5, 1), codes(7).slice(5, 1), one, &gradient);
  EXPECT_EQ(one[0], whole[5]);
  EXPECT_EQ(gradient, gradients.slice(5, 1));
}

TEST(TwoLevels, EveryObservationModelReadsIt) {
  const models::Vae vae = models::two_level_vae(std::make_shared<const models::PixelLaw>(models::made_up_law()));
  const auto model = std::make_shared<const ChannelModel>(*vae.pixel_law());
  const std::vector<std::shared_ptr<const Observation>> observations{
      exact_observation(vae.likelihood(), images(3)),
      minimum_observation(vae.likelihood(), images(3), Norm::linf, {0.1, 0.1, 0.1}),
      channel_observation(model, images(3), std::vector<Channel>(3, {0.1, 0.2, 0.2, 0.6}))};
  for (const auto& observation : observations) {
    for (const double value : values_of(PosteriorEnergy(vae, observation), codes(3), 1)) {
      EXPECT_TRUE(std::isfinite(value));
    }
  }
}

TEST(TwoLevels, BackendsMakersLeaveItAlone) {
  const models::Vae vae = models::two_level_vae();
  EXPECT_EQ(maker_refusal(vae), "");
  EXPECT_EQ(values_of(*make_posterior_energy(vae, images(2)), codes(2), 1),
            values_of(PosteriorEnergy(vae, images(2)), codes(2), 1));
}

TEST(TwoLevels, LogDensitiesOfDrawsAreThoseOfTheGaussiansTheyCameFrom) {
  const models::Vae vae = models::two_level_vae();
  const Matrix some = images(4);
  Matrix noise(4, 6);
  fill_normal(Key(8), noise.flat());
  const models::Draws draws = vae.recognition().draw(some, vae.encode(some), noise);
  // q(z1|x) as encoded; q(z2|z1) at the z1 that was drawn: the encoding of the second level knows the mean alone.
  const models::Encoding encoding = vae.encode(some);
  double difference = 0.0;
  for (std::int64_t b = 0; b < 4; ++b) {
    for (std::int64_t d = 0; d < 4; ++d) {
      EXPECT_NEAR(draws.codes(b, d), encoding.mean(b, d) + std::exp(0.5 * encoding.log_variance(b, d)) * noise(b, d),
                  1e-5);
    }
    for (std::int64_t d = 4; d < 6; ++d) {
      difference +=
          std::abs(draws.codes(b, d) - encoding.mean(b, d) - std::exp(0.5 * encoding.log_variance(b, d)) * noise(b, d));
    }
  }
  EXPECT_GT(difference, 0.1);
}

}  // namespace
}  // namespace vaeguard::energy
