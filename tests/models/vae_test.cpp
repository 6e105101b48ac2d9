// Encoding, sampling and decoding with a compiled VAE, alike for every backend, batch and number of threads.
#include "vaeguard/models/vae.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/networks/bfloat16_here.h"
#include "vaeguard/base/error.h"
#include "vaeguard/models/conv_vae.h"

namespace vaeguard::models {
namespace {

const Likelihood kBernoulli = bernoulli();

const Vae& paper_vae() {
  static const Vae vae(conv_vae({1, 28, 28}, kBernoulli, Key(5)));
  return vae;
}

Matrix images(std::int64_t count) {
  Matrix result(count, 784);
  fill_uniform(Key(6), 0.0F, 1.0F, result.flat());
  return result;
}

std::vector<Key> keys(std::int64_t count) {
  std::vector<Key> result;
  for (std::int64_t b = 0; b < count; ++b) {
    result.push_back(Key(7).fold(static_cast<std::uint64_t>(b)));
  }
  return result;
}

TEST(Vae, EncodesToMeansThenLogVariances) {
  const Matrix outputs(2, 6, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  const Encoding encoding = split_encoding(outputs);
  EXPECT_EQ(encoding.mean, Matrix(2, 3, {1, 2, 3, 7, 8, 9}));
  EXPECT_EQ(encoding.log_variance, Matrix(2, 3, {4, 5, 6, 10, 11, 12}));
}

TEST(Vae, ShapesAreThoseOfTheArchitecture) {
  const Encoding encoding = paper_vae().encode(images(3));
  EXPECT_EQ(paper_vae().latent_size(), 64);
  EXPECT_EQ(paper_vae().image(), (ImageShape{1, 28, 28}));
  EXPECT_EQ(encoding.mean.rows(), 3);
  EXPECT_EQ(encoding.mean.columns(), 64);
  EXPECT_EQ(encoding.log_variance.columns(), 64);
  const Matrix decoded = paper_vae().decode(encoding.mean);
  EXPECT_EQ(decoded.rows(), 3);
  EXPECT_EQ(decoded.columns(), 784);
}

TEST(Vae, BernoulliDecodesToProbabilities) {
  const Matrix latents(1, 64, 2.0F);
  const Matrix decoded = paper_vae().decode(latents);
  const Matrix logits = networks::forward_all(paper_vae().layers()->decoder(), latents, 1);
  for (std::int64_t i = 0; i < 784; ++i) {
    EXPECT_NEAR(decoded(0, i), 1.0 / (1.0 + std::exp(-static_cast<double>(logits(0, i)))), 3e-7);
  }
}

TEST(Vae, GaussianDecodesToItsMeans) {
  const Vae vae(conv_vae({1, 28, 28}, gaussian(0.5), Key(5)));
  const Matrix latents(1, 64, 2.0F);
  EXPECT_EQ(vae.decode(latents), networks::forward_all(vae.layers()->decoder(), latents, 1));
}

TEST(Vae, SampleIsMeanPlusDeviationTimesTheRowsOwnNormals) {
  Encoding encoding{Matrix(3, 4, 1.5F), Matrix(3, 4, std::log(4.0F))};
  const auto all = keys(3);
  const Matrix draws = draw(encoding, keyed_noise(all, 4)).codes;
  for (std::int64_t b = 0; b < 3; ++b) {
    std::vector<float> normals(4);
    fill_normal(all[static_cast<std::size_t>(b)], normals);
    for (std::int64_t d = 0; d < 4; ++d) {
      EXPECT_NEAR(draws(b, d), 1.5 + 2.0 * normals[static_cast<std::size_t>(d)], 2e-6);
    }
  }
}

TEST(Vae, ARowsDrawDependsOnItsKeyAloneNotOnItsPlace) {
  const Encoding encoding = paper_vae().encode(images(5));
  const Matrix draws = paper_vae().sample(images(5), encoding, keys(5));
  const std::vector<std::int64_t> order{3, 0, 4};
  const std::vector<Key> chosen{keys(5)[3], keys(5)[0], keys(5)[4]};
  EXPECT_EQ(paper_vae().sample(images(5).gather(order),
                               {encoding.mean.gather(order), encoding.log_variance.gather(order)}, chosen),
            draws.gather(order));
}

TEST(Vae, ResultsDoNotDependOnThreadsOrBatch) {
  const Matrix all = images(70);
  const Encoding one = paper_vae().encode(all, 1);
  EXPECT_EQ(paper_vae().encode(all, 2).mean, one.mean);
  EXPECT_EQ(paper_vae().encode(all.slice(69, 1)).log_variance, one.log_variance.slice(69, 1));
  const Matrix decoded = paper_vae().decode(one.mean, 1);
  EXPECT_EQ(paper_vae().decode(one.mean, 2), decoded);
  EXPECT_EQ(paper_vae().decode(one.mean.slice(3, 7)), decoded.slice(3, 7));
}

TEST(Vae, MixedPrecisionAddsADecoderForGradientsAndChangesNothingElse) {
  const Vae mixed(paper_vae().layers()->weights(), "native", networks::Precision::bfloat16);
  ASSERT_EQ(mixed.layers()->refusal(), "");
  EXPECT_TRUE(mixed.mixed());
  EXPECT_NE(&mixed.layers()->gradient_decoder(), &mixed.layers()->decoder());
  EXPECT_EQ(mixed.encode(images(2)).mean, paper_vae().encode(images(2)).mean);
  EXPECT_EQ(mixed.decode(Matrix(2, 64, 0.5F)), paper_vae().decode(Matrix(2, 64, 0.5F)));
  EXPECT_NE(networks::forward_all(mixed.layers()->gradient_decoder(), Matrix(2, 64, 0.5F), 1),
            networks::forward_all(mixed.layers()->decoder(), Matrix(2, 64, 0.5F), 1));
}

TEST(Vae, MixedPrecisionThatABackendRefusesRunsInFloatAndSaysWhy) {
  const Vae vae(paper_vae().layers()->weights(), "reference", networks::Precision::bfloat16);
  EXPECT_FALSE(vae.mixed());
  EXPECT_EQ(&vae.layers()->gradient_decoder(), &vae.layers()->decoder());
  EXPECT_NE(vae.layers()->refusal().find("reference"), std::string::npos);
  EXPECT_FALSE(paper_vae().mixed());
  EXPECT_EQ(paper_vae().layers()->refusal(), "");
}

TEST(Vae, BackendsAgreeAndTheForcedOneRuns) {
  const Vae reference(paper_vae().layers()->weights(), "reference");
  const Vae native(paper_vae().layers()->weights(), "native");
  EXPECT_EQ(reference.layers()->encoder().backend(), "reference");
  EXPECT_EQ(reference.layers()->decoder().backend(), "reference");
  EXPECT_EQ(native.layers()->decoder().backend(), "native");
  const Matrix some = images(2);
  const Encoding expected = reference.encode(some);
  const Encoding actual = native.encode(some);
  const Matrix expected_image = reference.decode(expected.mean);
  const Matrix actual_image = native.decode(expected.mean);
  // Five layers of up to 1152 terms of size about 1: 8 u sqrt(5 * 1152) = 4e-5.
  for (std::int64_t b = 0; b < 2; ++b) {
    for (std::int64_t d = 0; d < 64; ++d) {
      EXPECT_NEAR(actual.mean(b, d), expected.mean(b, d), 4e-5);
      EXPECT_NEAR(actual.log_variance(b, d), expected.log_variance(b, d), 4e-5);
    }
    for (std::int64_t i = 0; i < 784; ++i) {
      EXPECT_NEAR(actual_image(b, i), expected_image(b, i), 4e-5);
    }
  }
}

TEST(Vae, EncoderAndDecoderThatDoNotFitAreRefused) {
  VaeWeights weights = paper_vae().layers()->weights();
  weights.decoder = networks::LayerGraph{.inputs = {{32, 1, 1}}};
  weights.decoder.add(networks::Operation::convolution, {.channels = 784});
  EXPECT_THROW((void)Vae(weights), Misuse);
  weights.decoder = networks::LayerGraph{.inputs = {{64, 1, 1}}};
  weights.decoder.add(networks::Operation::convolution, {.channels = 783});
  EXPECT_THROW((void)Vae(weights), Misuse);
}

}  // namespace
}  // namespace vaeguard::models
