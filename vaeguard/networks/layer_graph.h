// A network as plain data: layers, shapes and one flat vector of parameters that any backend can compile.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/image_shape.h"

namespace vaeguard::networks {

enum class Operation { convolution, transposed_convolution, addition, upsampling, pixel_shuffle, reshape };
enum class Activation { none, relu, leaky_relu, elu, silu, tanh, sigmoid };

/// One layer. What it reads and gives are boundaries: boundary 0 is the network's input, boundary l + 1 the output of
/// layer l. Kernels are square; a linear layer is a convolution with kernel 1 on a 1 x 1 image. Weights lie in
/// PyTorch's order: [output, input / groups, k, k] for a convolution, [input, output / groups, k, k] for a transposed
/// one.
struct Layer {
  Operation operation = Operation::convolution;
  std::int64_t source = 0;  // the boundary it reads
  std::int64_t other = 0;   // addition: the boundary that is added
  ImageShape input{};
  ImageShape output{};
  int kernel = 1;
  int stride = 1;  // upsampling and pixel shuffle: the factor
  int padding = 0;
  int output_padding = 0;  // transposed convolution: further rows and columns after the last
  int dilation = 1;
  int groups = 1;
  Activation activation = Activation::none;
  double slope = 0.0;              // of leaky ReLU for x < 0, alpha of ELU
  std::int64_t weight_offset = 0;  // into LayerGraph::parameters
  std::int64_t bias_offset = 0;

  /// Whether it multiplies by weights: a convolution of either kind.
  [[nodiscard]] bool weighted() const {
    return operation == Operation::convolution || operation == Operation::transposed_convolution;
  }
  [[nodiscard]] std::int64_t taps() const { return static_cast<std::int64_t>(kernel) * kernel; }
  [[nodiscard]] std::int64_t weight_count() const {
    return weighted() ? input.channels * output.channels / groups * taps() : 0;
  }
  [[nodiscard]] std::int64_t bias_count() const { return weighted() ? output.channels : 0; }
  /// Where output channel o, input channel i (both of one group), tap t = row * kernel + column stands in the weights.
  [[nodiscard]] std::int64_t weight_index(std::int64_t o, std::int64_t i, std::int64_t t) const;
};

/// What a new layer is asked to be; its shapes follow from the graph.
struct LayerOptions {
  std::int64_t channels = 0;  // of the output of a convolution
  int kernel = 1;
  int stride = 1;
  int padding = 0;
  int output_padding = 0;
  int dilation = 1;
  int groups = 1;
  Activation activation = Activation::none;
  double slope = 0.0;
  std::int64_t source = -1;  // -1: the last boundary
  std::int64_t other = 0;
  ImageShape shape{};  // of a reshape
};

/// Layers in the order in which they are computed; the last one's output is the network's. `parameters` holds weight
/// then bias of each layer, in order.
struct LayerGraph {
  ImageShape input;
  std::vector<Layer> layers;
  std::vector<float> parameters;

  [[nodiscard]] ImageShape output() const { return boundary(static_cast<std::int64_t>(layers.size())); }
  /// The shape at a boundary.
  [[nodiscard]] ImageShape boundary(std::int64_t index) const;
  /// Appends a layer with zero parameters; throws Misuse where its options or its shapes make no sense.
  LayerGraph& add(Operation operation, const LayerOptions& options);
  [[nodiscard]] std::span<float> weight(const Layer& layer);
  [[nodiscard]] std::span<const float> weight(const Layer& layer) const;
  [[nodiscard]] std::span<float> bias(const Layer& layer);
  [[nodiscard]] std::span<const float> bias(const Layer& layer) const;
};

/// What a batch normalisation learned, one value a channel.
struct BatchNormalisation {
  std::vector<float> scale;
  std::vector<float> shift;
  std::vector<float> mean;
  std::vector<float> variance;
  double epsilon = 1e-5;
};

/// Takes an evaluation-mode batch normalisation, scale (y - mean) / sqrt(variance + epsilon) + shift, that follows a
/// convolution of either kind before its activation, into that layer's weights and biases.
void fold_batch_normalisation(LayerGraph& graph, std::int64_t layer, const BatchNormalisation& normalisation);

/// One multiply of a weighted layer: output position, input position (row-major) and tap of the kernel.
struct Connection {
  std::int32_t output = 0;
  std::int32_t input = 0;
  std::int32_t tap = 0;
};

/// Every (output, input, tap) that a weighted layer multiplies, ordered by output, then tap. Positions in the padding
/// do not appear, so a backend that walks this list does no work for them. A convolution reads o * stride - padding +
/// dilation * k, a transposed one writes i * stride - padding + dilation * k.
std::vector<Connection> connections(const Layer& layer);

/// Where each value of the output of an upsampling (nearest), pixel shuffle or reshape comes from in the input; both
/// lie as [channel, row, column].
std::vector<std::int64_t> moves(const Layer& layer);

/// f(x) of an activation and its derivative, in double.
double activate(Activation activation, double slope, double x);
double activate_derivative(Activation activation, double slope, double x);

/// Multiply-adds of one forward pass for one image, those in the padding not counted.
std::int64_t multiply_adds(const LayerGraph& graph);

/// Names as checkpoints and messages spell them: "transposed_convolution", "leaky_relu".
std::string_view name(Operation operation);
std::string_view name(Activation activation);

/// "convolution 1x28x28 -> 32x14x14, kernel 3, stride 2, padding 1, relu", for listings and error messages.
std::string describe(const Layer& layer);

}  // namespace vaeguard::networks
