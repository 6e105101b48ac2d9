// A network as plain data: layers, shapes and one flat vector of parameters that any backend can compile.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/image_shape.h"

namespace vaeguard::networks {

/// What a layer does; operations.h has a line on each.
enum class Operation {
  convolution,
  transposed_convolution,
  addition,
  upsampling,
  pixel_shuffle,
  reshape,
  product,
  concatenation,
  slice,
  padding,
  transposition,
  mean,
  average_pooling,
  max_pooling,
  bilinear_resize,
  softmax
};

/// What is done to each value that a layer gives; activation.h has the functions.
enum class Activation { none, relu, leaky_relu, elu, silu, tanh, sigmoid, exp, clamp, softplus };

/// What a new layer is asked to be; its shapes follow from the graph. Each operation reads a few of these fields
/// (operations.h) and refuses the others. Kernels are square; a linear layer is a convolution with kernel 1 on a 1 x 1
/// image.
struct LayerOptions {
  std::int64_t channels = 0;  // of the output of a convolution, of a slice
  int kernel = 1;
  int stride = 1;  // upsampling and pixel shuffle: the factor
  int padding = 0;
  int output_padding = 0;  // transposed convolution: further rows and columns after the last
  int dilation = 1;
  int groups = 1;
  Activation activation = Activation::none;
  double slope = 0.0;                                 // of leaky ReLU for x < 0, alpha of ELU
  double low = std::numeric_limits<float>::lowest();  // of clamp
  double high = std::numeric_limits<float>::max();
  std::vector<std::int64_t> sources{};  // the boundaries it reads, -1: the last one so far; empty: that one alone
  ImageShape shape{};                   // of a reshape; of a bilinear resize, which keeps the channels
  std::int64_t first = 0;               // channel of a slice
  std::array<int, 4> margins{};         // of padding: zeros above, below, left and right; negative ones crop
  std::array<int, 3> axes{0, 1, 2};     // of a transposition: output axis i is input axis axes[i]
  bool align_corners = false;           // of a bilinear resize: the corners' centres stay where they are

  friend bool operator==(const LayerOptions&, const LayerOptions&) = default;
};

/// One layer: its options, with `sources` resolved, and what follows from the graph. What layers read and give are
/// boundaries: first the network's inputs, then the output of each layer. Weights lie in PyTorch's order: [output,
/// input / groups, k, k] for a convolution, [input, output / groups, k, k] for a transposed one.
struct Layer : LayerOptions {
  Operation operation = Operation::convolution;
  std::vector<ImageShape> inputs{};  // of each source
  ImageShape output{};
  std::int64_t weight_offset = 0;  // into LayerGraph::parameters
  std::int64_t bias_offset = 0;

  [[nodiscard]] std::int64_t source() const { return sources.front(); }
  [[nodiscard]] const ImageShape& input() const { return inputs.front(); }
  /// Whether it multiplies by weights: a convolution of either kind.
  [[nodiscard]] bool weighted() const {
    return operation == Operation::convolution || operation == Operation::transposed_convolution;
  }
  /// Whether each channel has a filter of its own and meets no other: a convolution with groups = channels.
  [[nodiscard]] bool depthwise() const { return weighted() && groups == input().channels && groups == output.channels; }
  [[nodiscard]] std::int64_t taps() const { return static_cast<std::int64_t>(kernel) * kernel; }
  [[nodiscard]] std::int64_t weight_count() const {
    return weighted() ? input().channels * output.channels / groups * taps() : 0;
  }
  [[nodiscard]] std::int64_t bias_count() const { return weighted() ? output.channels : 0; }
  /// Where output channel o, input channel i (both of one group), tap t = row * kernel + column stands in the weights.
  [[nodiscard]] std::int64_t weight_index(std::int64_t o, std::int64_t i, std::int64_t t) const;
};

/// A feed-forward graph: layers in the order in which they are computed, each of which reads any earlier boundaries.
/// `parameters` holds weight then bias of each layer, in order. A row of a network's inputs holds the values of all
/// inputs one after the other, each as [channel, row, column]; likewise a row of its outputs.
struct LayerGraph {
  std::vector<ImageShape> inputs{};  // boundaries 0, 1, ...
  std::vector<Layer> layers{};       // layer l gives boundary inputs.size() + l
  std::vector<float> parameters{};
  std::vector<std::int64_t> outputs{};  // boundaries; empty: the last one alone

  /// The shape of the only input, or output; throws Misuse where there are several.
  [[nodiscard]] ImageShape input() const;
  [[nodiscard]] ImageShape output() const;
  /// The boundaries that are the network's outputs.
  [[nodiscard]] std::vector<std::int64_t> output_boundaries() const;
  /// Values of all inputs, and of all outputs, of one row.
  [[nodiscard]] std::int64_t input_size() const;
  [[nodiscard]] std::int64_t output_size() const;
  [[nodiscard]] std::int64_t boundaries() const { return static_cast<std::int64_t>(inputs.size() + layers.size()); }
  /// The last boundary so far, and the one that layer l gives.
  [[nodiscard]] std::int64_t last() const { return boundaries() - 1; }
  [[nodiscard]] std::int64_t boundary_of(std::size_t layer) const {
    return static_cast<std::int64_t>(inputs.size() + layer);
  }
  /// The shape at a boundary.
  [[nodiscard]] ImageShape boundary(std::int64_t index) const;
  /// Appends a layer with zero parameters; throws Misuse where its options or its shapes make no sense.
  LayerGraph& add(Operation operation, const LayerOptions& options);
  [[nodiscard]] std::span<float> weight(const Layer& layer);
  [[nodiscard]] std::span<const float> weight(const Layer& layer) const;
  [[nodiscard]] std::span<float> bias(const Layer& layer);
  [[nodiscard]] std::span<const float> bias(const Layer& layer) const;
};

/// Empty, or why `graph` is no network: no inputs, no layers, or outputs that are no boundaries.
std::string defect(const LayerGraph& graph);

/// What a batch normalisation learned, one value for each channel.
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

/// Appends y[c, p] = scale[c] x[c, p] + shift[c]: a 1 x 1 convolution of as many groups as channels. `options` may name
/// its source and activation.
LayerGraph& add_scale_and_shift(LayerGraph& graph, std::span<const float> scale, std::span<const float> shift,
                                LayerOptions options = {});

/// Multiply-adds of one forward pass for one image, those in the padding not counted.
std::int64_t multiply_adds(const LayerGraph& graph);

/// Names as checkpoints and messages spell them: "transposed_convolution", "leaky_relu".
std::string_view name(Operation operation);
std::string_view name(Activation activation);

/// "convolution 1x28x28 -> 32x14x14, kernel 3, stride 2, padding 1, relu", for listings and error messages.
std::string describe(const Layer& layer);

}  // namespace vaeguard::networks
