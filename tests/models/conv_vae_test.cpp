// The paper's convolutional VAE: its size, its shapes and its start.
#include "vaeguard/models/conv_vae.h"

#include <fmt/format.h>

#include <bit>
#include <numbers>

#include "tests/expect_misuse.h"
#include "vaeguard/base/error.h"
#include "vaeguard/networks/network.h"

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

// FNV-1a over the bits.
std::uint64_t digest(std::span<const float> values) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const float value : values) {
    hash = (hash ^ std::bit_cast<std::uint32_t>(value)) * 1099511628211ULL;
  }
  return hash;
}

std::vector<std::string> described(const networks::LayerGraph& graph) {
  std::vector<std::string> lines;
  for (const auto& layer : graph.layers) {
    lines.push_back(describe(layer));
  }
  return lines;
}

// As they were when this was the only size: resumed trainings and the records of runs depend on them.
TEST(ConvVae, ThePapersSizeKeepsItsLayersAndItsStartToTheBit) {
  const VaeWeights grey = one_channel();
  const VaeWeights colour = conv_vae({3, 28, 28}, {}, Key(3));
  EXPECT_THAT(described(grey.encoder),
              testing::ElementsAre("convolution 1x28x28 -> 32x14x14, kernel 3, stride 2, padding 1, dilation 1, relu",
                                   "convolution 32x14x14 -> 64x7x7, kernel 3, stride 2, padding 1, dilation 1, relu",
                                   "convolution 64x7x7 -> 96x4x4, kernel 3, stride 2, padding 1, dilation 1, relu",
                                   "convolution 96x4x4 -> 128x2x2, kernel 3, stride 2, padding 1, dilation 1, relu",
                                   "convolution 128x2x2 -> 128x1x1, kernel 3, stride 2, padding 1, dilation 1"));
  EXPECT_THAT(
      described(grey.decoder),
      testing::ElementsAre("transposed convolution 64x1x1 -> 128x5x5, kernel 3, stride 1, padding 0, dilation 2, relu",
                           "transposed convolution 128x5x5 -> 96x7x7, kernel 3, stride 1, padding 0, dilation 1, relu",
                           "transposed convolution 96x7x7 -> 64x7x7, kernel 3, stride 1, padding 1, dilation 1, relu",
                           "transposed convolution 64x7x7 -> 32x14x14, kernel 4, stride 2, padding 1, dilation 1, relu",
                           "transposed convolution 32x14x14 -> 1x28x28, kernel 4, stride 2, padding 1, dilation 1"));
  EXPECT_EQ(digest(grey.encoder.parameters), 0x7180dc0b3d34d67bU);
  EXPECT_EQ(digest(grey.decoder.parameters), 0xc08fb860d6ba131cU);
  EXPECT_EQ(digest(colour.encoder.parameters), 0x375c850c059f2e2eU);
  EXPECT_EQ(digest(colour.decoder.parameters), 0x66523dd6335d4d0eU);
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

// "32x16x16" for each layer.
std::vector<std::string> maps(const networks::LayerGraph& graph) {
  std::vector<std::string> shapes;
  for (const auto& layer : graph.layers) {
    shapes.push_back(fmt::format("{}x{}x{}", layer.output.channels, layer.output.height, layer.output.width));
  }
  return shapes;
}

TEST(ConvVae, OtherSizesHalveToTheLatentAndDoubleBack) {
  using testing::ElementsAre;
  const VaeWeights small = conv_vae({3, 16, 16}, {}, Key(3));
  EXPECT_THAT(maps(small.encoder), ElementsAre("32x8x8", "64x4x4", "96x2x2", "128x1x1"));
  EXPECT_THAT(maps(small.decoder), ElementsAre("64x4x4", "32x8x8", "3x16x16"));
  const VaeWeights medium = conv_vae({1, 64, 64}, {}, Key(3));
  EXPECT_THAT(maps(medium.encoder), ElementsAre("32x32x32", "64x16x16", "96x8x8", "128x4x4", "128x2x2", "128x1x1"));
  EXPECT_THAT(maps(medium.decoder), ElementsAre("128x4x4", "96x8x8", "64x16x16", "32x32x32", "1x64x64"));
  const VaeWeights large = conv_vae({3, 128, 128}, {}, Key(3), 2);
  EXPECT_THAT(maps(large.encoder),
              ElementsAre("32x64x64", "64x32x32", "96x16x16", "128x8x8", "128x4x4", "128x2x2", "4x1x1"));
  EXPECT_THAT(maps(large.decoder), ElementsAre("128x4x4", "128x8x8", "96x16x16", "64x32x32", "32x64x64", "3x128x128"));
}

// Frey faces are 28 x 20; 2 x 1 at the end of the encoder also becomes 1 x 1.
TEST(ConvVae, ImagesNeedNotBeSquare) {
  using testing::ElementsAre;
  const VaeWeights face = conv_vae({1, 28, 20}, {}, Key(3));
  EXPECT_THAT(maps(face.encoder), ElementsAre("32x14x10", "64x7x5", "96x4x3", "128x2x2", "128x1x1"));
  EXPECT_THAT(maps(face.decoder), ElementsAre("96x4x4", "64x8x8", "32x16x16", "1x32x32", "1x28x20"));
  EXPECT_THAT(face.decoder.layers.back().margins, ElementsAre(-2, -2, -6, -6));
  const VaeWeights tall = conv_vae({1, 33, 16}, {}, Key(3));
  EXPECT_THAT(maps(tall.encoder), ElementsAre("32x17x8", "64x9x4", "96x5x2", "128x3x1", "128x2x1", "128x1x1"));
  EXPECT_THAT(tall.decoder.layers.back().margins, ElementsAre(-15, -16, -24, -24));
  EXPECT_EQ(tall.decoder.output(), (ImageShape{1, 33, 16}));
  EXPECT_EQ(conv_vae({1, 16, 128}, {}, Key(3)).decoder.output(), (ImageShape{1, 16, 128}));
}

// Weights and biases: a kernel's area x inputs x outputs, and the outputs.
TEST(ConvVae, OtherSizesHaveTheParametersOfTheirLayers) {
  constexpr std::size_t kHidden = 9 * (32 * 64 + 64 * 96 + 96 * 128) + 64 + 96 + 128;  // 32 -> 64 -> 96 -> 128
  constexpr std::size_t kLatent = 9 * 128 * 128 + 128;
  constexpr std::size_t kBack = 16 * (96 * 64 + 64 * 32) + 64 + 32;  // 96 -> 64 -> 32
  for (const std::size_t channels : {1U, 3U}) {
    SCOPED_TRACE(channels);
    const auto depth = static_cast<std::int64_t>(channels);
    const std::size_t first = 9 * channels * 32 + 32;
    const std::size_t last = 16 * 32 * channels + channels;
    const VaeWeights small = conv_vae({depth, 32, 32}, {}, Key(3));
    EXPECT_EQ(small.encoder.parameters.size(), first + kHidden + kLatent);
    EXPECT_EQ(small.decoder.parameters.size(), 16 * 64 * 96 + 96 + kBack + last);
    const VaeWeights large = conv_vae({depth, 64, 64}, {}, Key(3));
    EXPECT_EQ(large.encoder.parameters.size(), first + kHidden + 9 * 128 * 128 + 128 + kLatent);
    EXPECT_EQ(large.decoder.parameters.size(), 16 * 64 * 128 + 128 + 16 * 128 * 96 + 96 + kBack + last);
  }
}

bool moves(std::span<const float> gradient) {
  return std::ranges::any_of(gradient, [](float value) { return value != 0.0F; }) &&
         std::ranges::all_of(gradient, [](float value) { return std::isfinite(value); });
}

// Through every layer, the crop too: each layer's weights and biases have a gradient.
TEST(ConvVae, EveryLayerOfOtherSizesCanBeTrained) {
  for (const ImageShape image : {ImageShape{3, 32, 32}, ImageShape{1, 28, 20}, ImageShape{1, 33, 16}}) {
    const VaeWeights vae = conv_vae(image, {}, Key(3), 8);
    for (const networks::LayerGraph* graph : {&vae.encoder, &vae.decoder}) {
      const auto network = networks::compile_trainable(*graph);
      const auto tape = network->make_tape();
      Matrix inputs(4, graph->input_size());
      fill_normal(Key(5), inputs.flat());
      Matrix outputs;
      network->forward(inputs, outputs, *tape);
      std::vector<float> gradient(graph->parameters.size());
      Matrix input_gradients;
      network->backward_parameters(outputs, &input_gradients, gradient, *tape);
      EXPECT_TRUE(moves(input_gradients.flat()));
      for (const networks::Layer& layer : graph->layers) {
        const auto part = [&](std::int64_t offset, std::int64_t count) {
          return std::span(gradient).subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(count));
        };
        if (layer.weighted()) {
          EXPECT_TRUE(moves(part(layer.weight_offset, layer.weight_count()))) << describe(layer);
          EXPECT_TRUE(moves(part(layer.bias_offset, layer.bias_count()))) << describe(layer);
        }
      }
    }
  }
}

TEST(ConvVae, RefusesImagesThatAreTooSmallTooLargeOrEmpty) {
  expect_misuse(
      [] {
        conv_vae({3, 15, 64}, {}, Key(1));
      },
      {"16 x 16 to 128 x 128", "got 15 x 64 with 3", "`size`, or `height` and `width`, of [dataset]"});
  expect_misuse([] { conv_vae({3, 64, 129}, {}, Key(1)); }, {"got 64 x 129 with 3"});
  expect_misuse([] { conv_vae({0, 28, 28}, {}, Key(1)); }, {"at least one channel, got 28 x 28 with 0"});
}

}  // namespace
}  // namespace vaeguard::models
