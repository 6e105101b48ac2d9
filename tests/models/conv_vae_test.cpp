// The paper's convolutional VAE: its size, its shapes and its start.
#include "vaeguard/models/conv_vae.h"

#include <numbers>

#include "vaeguard/base/error.h"

namespace vaeguard::models {
namespace {

VaeWeights one_channel() { return conv_vae({1, 28, 28}, {}, Key(3)); }

double variance(std::span<const float> values) {
  double sum = 0.0;
  for (const float value : values) {
    sum += static_cast<double>(value) * value;
  }
  return sum / static_cast<double>(values.size());
}

TEST(ConvVae, HasThePapersNumberOfParameters) {
  const VaeWeights vae = one_channel();
  EXPECT_EQ(vae.encoder.parameters.size(), 332'512U);
  EXPECT_EQ(vae.decoder.parameters.size(), 273'217U);
}

TEST(ConvVae, MapsImagesToLatentsAndBackThroughThePapersSizes) {
  const VaeWeights vae = one_channel();
  std::vector<std::int64_t> encoder_sides;
  std::vector<std::int64_t> decoder_sides;
  for (const auto& layer : vae.encoder.layers) {
    encoder_sides.push_back(layer.output.height);
  }
  for (const auto& layer : vae.decoder.layers) {
    decoder_sides.push_back(layer.output.height);
  }
  EXPECT_THAT(encoder_sides, testing::ElementsAre(14, 7, 4, 2, 1));
  EXPECT_THAT(decoder_sides, testing::ElementsAre(5, 7, 7, 14, 28));
  EXPECT_EQ(vae.latent_size(), 64);
  EXPECT_EQ(vae.encoder.output_size(), 128);
  EXPECT_EQ(vae.decoder.output(), (ImageShape{1, 28, 28}));
}

// The sample variance of n normal draws has a relative standard deviation of sqrt(2 / n); six of them are allowed.
TEST(ConvVae, WeightsAreXavierNormalAndBiasesZero) {
  const VaeWeights vae = one_channel();
  for (const auto* graph : {&vae.encoder, &vae.decoder}) {
    for (const auto& layer : graph->layers) {
      const bool heads = graph == &vae.encoder && &layer == &graph->layers.back();
      const double outputs = static_cast<double>(layer.output.channels) / (heads ? 2 : 1);
      const double fans = layer.kernel * layer.kernel * (static_cast<double>(layer.input().channels) + outputs);
      const auto weight = graph->weight(layer);
      EXPECT_NEAR(variance(weight) * fans / 2.0, 1.0, 6.0 * std::sqrt(2.0 / static_cast<double>(weight.size())))
          << describe(layer);
      EXPECT_EQ(variance(graph->bias(layer)), 0.0);
    }
  }
}

TEST(ConvVae, StartDependsOnTheKeyAlone) {
  EXPECT_EQ(one_channel().decoder.parameters, one_channel().decoder.parameters);
  EXPECT_NE(one_channel().decoder.parameters, conv_vae({1, 28, 28}, {}, Key(4)).decoder.parameters);
}

TEST(ConvVae, LatentSizeIsAChoice) {
  const VaeWeights vae = conv_vae({1, 28, 28}, {}, Key(3), 2);
  EXPECT_EQ(vae.latent_size(), 2);
  EXPECT_EQ(vae.encoder.output(), (ImageShape{4, 1, 1}));
  EXPECT_EQ(vae.decoder.output(), (ImageShape{1, 28, 28}));
  EXPECT_THROW(conv_vae({1, 28, 28}, {}, Key(3), 0), Misuse);
}

// With variance 1/(2 pi) the Gaussian's constant is nothing: -log p = pi |x - m|^2.
TEST(ConvVae, ColoursAreGaussianAsTheAuthorsCodeMeansThemToBe) {
  EXPECT_EQ(usual_likelihood(1), Likelihood{});
  const std::vector<float> image{0.25F, 0.5F};
  const std::vector<float> mean{0.0F, 1.0F};
  EXPECT_NEAR(usual_likelihood(3).negative_log(image, mean, {}), std::numbers::pi * (0.0625 + 0.25), 1e-12);
  EXPECT_EQ(published_likelihood(1), Likelihood{});
  EXPECT_EQ(published_likelihood(3), clamped_bernoulli());
}

TEST(ConvVae, RefusesOtherImageSizes) {
  EXPECT_THROW(conv_vae({1, 32, 32}, {}, Key(1)), Misuse);
  EXPECT_THROW(conv_vae({0, 28, 28}, {}, Key(1)), Misuse);
  EXPECT_EQ(conv_vae({3, 28, 28}, {}, Key(1)).decoder.output().channels, 3);
}

}  // namespace
}  // namespace vaeguard::models
