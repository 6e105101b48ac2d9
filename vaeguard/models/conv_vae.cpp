// Layers and initial weights of the paper's convolutional VAE.
#include "vaeguard/models/conv_vae.h"

#include <cmath>
#include <numbers>

#include "vaeguard/base/error.h"

namespace vaeguard::models {
namespace {

using networks::Activation;
using networks::Layer;
using networks::LayerGraph;
using networks::Operation;

LayerGraph encoder_graph(ImageShape image, std::int64_t latent_size) {
  LayerGraph graph{.inputs = {image}};
  for (const std::int64_t channels : {32, 64, 96, 128}) {
    graph.add(Operation::convolution,
              {.channels = channels, .kernel = 3, .stride = 2, .padding = 1, .activation = Activation::relu});
  }
  graph.add(Operation::convolution, {.channels = 2 * latent_size, .kernel = 3, .stride = 2, .padding = 1});
  return graph;
}

LayerGraph decoder_graph(std::int64_t image_channels, std::int64_t latent_size) {
  LayerGraph graph{.inputs = {{latent_size, 1, 1}}};
  constexpr auto kTransposed = Operation::transposed_convolution;
  graph.add(kTransposed, {.channels = 128, .kernel = 3, .dilation = 2, .activation = Activation::relu});
  graph.add(kTransposed, {.channels = 96, .kernel = 3, .activation = Activation::relu});
  graph.add(kTransposed, {.channels = 64, .kernel = 3, .padding = 1, .activation = Activation::relu});
  graph.add(kTransposed, {.channels = 32, .kernel = 4, .stride = 2, .padding = 1, .activation = Activation::relu});
  graph.add(kTransposed, {.channels = image_channels, .kernel = 4, .stride = 2, .padding = 1});
  return graph;
}

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
    xavier_normal(graph, layers[i], i + 1 == layers.size() ? heads_of_last : 1, key.fold(i));
  }
}

}  // namespace

Likelihood usual_likelihood(std::int64_t channels) {
  return channels == 1 ? bernoulli() : gaussian(0.5 / std::numbers::pi);
}

Likelihood published_likelihood(std::int64_t channels) { return channels == 1 ? bernoulli() : clamped_bernoulli(); }

VaeWeights conv_vae(ImageShape image, const Likelihood& likelihood, Key key, std::int64_t latent_size) {
  if (image.channels < 1 || image.height != 28 || image.width != 28) {
    misuse("models.conv_vae", "images must be 28 x 28 with at least one channel, got {} x {} with {}", image.height,
           image.width, image.channels);
  }
  if (latent_size < 1) {
    misuse("models.conv_vae", "latent size must be at least 1, got {}", latent_size);
  }
  VaeWeights weights{.architecture = "conv_vae",
                     .encoder = encoder_graph(image, latent_size),
                     .decoder = decoder_graph(image.channels, latent_size),
                     .likelihood = likelihood};
  initialise(weights.encoder, 2, key.fold("encoder"));
  initialise(weights.decoder, 1, key.fold("decoder"));
  return weights;
}

}  // namespace vaeguard::models
