// Layers and initial weights of the convolutional VAE.
#include "vaeguard/models/conv_vae.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>

#include "vaeguard/base/error.h"

namespace vaeguard::models {
namespace {

using networks::Activation;
using networks::Layer;
using networks::LayerGraph;
using networks::Operation;

constexpr std::int64_t kSmallestSide = 16;
constexpr std::int64_t kLargestSide = 128;
constexpr int kFirstMap = 4;  // height and width after the decoder's first layer

// Of the hidden maps, from the largest on; the last number is also that of all smaller ones.
std::int64_t channels_of(std::size_t map) {
  constexpr std::array<std::int64_t, 4> kChannels{32, 64, 96, 128};
  return kChannels[std::min(map, kChannels.size() - 1)];
}

// Halves the image, rounding up, until a last halving leaves a single position, whatever the shape: 2 x 1 becomes 1 x 1
// as 2 x 2 does.
LayerGraph encoder_graph(ImageShape image, std::int64_t latent_size) {
  LayerGraph graph{.inputs = {image}};
  const auto side = [&] { return std::max(graph.output().height, graph.output().width); };
  for (std::size_t map = 0; side() > 2; ++map) {
    graph.add(Operation::convolution,
              {.channels = channels_of(map), .kernel = 3, .stride = 2, .padding = 1, .activation = Activation::relu});
  }
  graph.add(Operation::convolution, {.channels = 2 * latent_size, .kernel = 3, .stride = 2, .padding = 1});
  return graph;
}

constexpr auto kTransposed = Operation::transposed_convolution;

LayerGraph papers_decoder(std::int64_t image_channels, std::int64_t latent_size) {
  LayerGraph graph{.inputs = {{latent_size, 1, 1}}};
  graph.add(kTransposed, {.channels = 128, .kernel = 3, .dilation = 2, .activation = Activation::relu});
  graph.add(kTransposed, {.channels = 96, .kernel = 3, .activation = Activation::relu});
  graph.add(kTransposed, {.channels = 64, .kernel = 3, .padding = 1, .activation = Activation::relu});
  graph.add(kTransposed, {.channels = 32, .kernel = 4, .stride = 2, .padding = 1, .activation = Activation::relu});
  graph.add(kTransposed, {.channels = image_channels, .kernel = 4, .stride = 2, .padding = 1});
  return graph;
}

// Negative margins of about half the excess on each side.
void crop_to(ImageShape image, LayerGraph& graph) {
  const ImageShape whole = graph.output();
  if (whole == image) {
    return;
  }
  const auto rows = static_cast<int>(whole.height - image.height);
  const auto columns = static_cast<int>(whole.width - image.width);
  graph.add(Operation::padding, {.margins = {-(rows / 2), rows / 2 - rows, -(columns / 2), columns / 2 - columns}});
}

// Doubles 4 x 4 until it covers the image, then crops.
LayerGraph doubling_decoder(ImageShape image, std::int64_t latent_size) {
  const auto side = static_cast<std::uint64_t>(std::max(image.height, image.width));
  const auto hidden = static_cast<std::size_t>(std::countr_zero(std::bit_ceil(side) / kFirstMap));  // maps
  LayerGraph graph{.inputs = {{latent_size, 1, 1}}};
  graph.add(kTransposed, {.channels = channels_of(hidden - 1), .kernel = kFirstMap, .activation = Activation::relu});
  for (std::size_t map = hidden - 1; map-- > 0;) {
    graph.add(kTransposed,
              {.channels = channels_of(map), .kernel = 4, .stride = 2, .padding = 1, .activation = Activation::relu});
  }
  graph.add(kTransposed, {.channels = image.channels, .kernel = 4, .stride = 2, .padding = 1});
  crop_to(image, graph);
  return graph;
}

bool papers_size(ImageShape image) { return image.height == 28 && image.width == 28; }

// Glorot and Bengio 2010: variance 2 / (fan in + fan out), a fan being channels x kernel area. `heads` layers of equal
// size share the outputs, so each has only its share of the fan out.
void xavier_normal(LayerGraph& graph, const Layer& layer, std::int64_t heads, Key key) {
  const double area = static_cast<double>(layer.kernel) * layer.kernel;
  const double fans = area * static_cast<double>(layer.input().channels + layer.output.channels / heads);
  const auto deviation = static_cast<float>(std::sqrt(2.0 / fans));
  const std::span<float> weight = graph.weight(layer);
  fill_normal(key, weight);
  for (float& value : weight) {
    value *= deviation;
  }
}

void initialise(LayerGraph& graph, std::int64_t heads_of_last, Key key) {
  const std::vector<Layer> layers = graph.layers;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].weighted()) {
      xavier_normal(graph, layers[i], i + 1 == layers.size() ? heads_of_last : 1, key.fold(i));
    }
  }
}

}  // namespace

Likelihood usual_likelihood(std::int64_t channels) {
  return channels == 1 ? bernoulli() : gaussian(0.5 / std::numbers::pi);
}

Likelihood published_likelihood(std::int64_t channels) { return channels == 1 ? bernoulli() : clamped_bernoulli(); }

VaeWeights conv_vae(ImageShape image, const Likelihood& likelihood, Key key, std::int64_t latent_size) {
  const auto [least, most] = std::minmax(image.height, image.width);
  if (image.channels < 1 || least < kSmallestSide || most > kLargestSide) {
    misuse("models.conv_vae",
           "images must have {0} x {0} to {1} x {1} pixels and at least one channel, got {2} x {3} with {4}; resize "
           "pictures with `size`, or `height` and `width`, of [dataset]",
           kSmallestSide, kLargestSide, image.height, image.width, image.channels);
  }
  if (latent_size < 1) {
    misuse("models.conv_vae", "latent size must be at least 1, got {}", latent_size);
  }
  VaeWeights weights{.architecture = "conv_vae",
                     .encoder = encoder_graph(image, latent_size),
                     .decoder = papers_size(image) ? papers_decoder(image.channels, latent_size)
                                                   : doubling_decoder(image, latent_size),
                     .likelihood = likelihood};
  initialise(weights.encoder, 2, key.fold("encoder"));
  initialise(weights.decoder, 1, key.fold("decoder"));
  return weights;
}

}  // namespace vaeguard::models
