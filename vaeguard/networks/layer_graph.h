// A network as plain data that any backend can compile: layers, shapes and one flat vector of parameters.
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

/// The function applied to each output value of a layer; see activation.h.
enum class Activation { none, relu, leaky_relu, elu, silu, tanh, sigmoid, exp, clamp, softplus };

/// The options of a new layer; its shapes follow from the graph. Each operation reads a few of these fields
/// (operations.h) and refuses the others. Kernels are square; a linear layer is a convolution with kernel 1 on a 1 x 1
/// image.
struct LayerOptions {
  std::int64_t channels = 0;  // of the output, for a convolution or a slice
  int kernel = 1;
  int stride = 1;  // upsampling and pixel shuffle: the factor
  int padding = 0;
  int output_padding = 0;  // transposed convolution: extra rows and columns after the last
  int dilation = 1;
  int groups = 1;
  Activation activation = Activation::none;
  double slope = 0.0;                                 // of leaky ReLU for x < 0, alpha of ELU
  double low = std::numeric_limits<float>::lowest();  // of clamp
  double high = std::numeric_limits<float>::max();
  std::vector<std::int64_t> sources{};  // the boundaries it reads, -1 for the last one so far; empty: only that one
  ImageShape shape{};                   // of a reshape; of a bilinear resize, which keeps the channels
  std::int64_t first = 0;               // channel of a slice
  std::array<int, 4> margins{};         // of padding: zeros above, below, left and right; negative ones crop
  std::array<int, 3> axes{0, 1, 2};     // of a transposition: output axis i is input axis axes[i]
  bool align_corners = false;           // of a bilinear resize: the centres of the corner pixels stay in place

  friend bool operator==(const LayerOptions&, const LayerOptions&) = default;
};

/// One layer: its options, with `sources` resolved, and what follows from the graph. Layers read and write boundaries:
/// first the network's inputs, then the output of each layer. Weights are in PyTorch's order: [output, input / groups,
/// k, k] for a convolution, [input, output / groups, k, k] for a transposed one.
struct Layer : LayerOptions {
  Operation operation = Operation::convolution;
  std::vector<ImageShape> inputs{};  // one per source
  ImageShape output{};
  std::int64_t weight_offset = 0;  // into LayerGraph::parameters
  std::int64_t bias_offset = 0;

  [[nodiscard]] std::int64_t source() const { return sources.front(); }
  [[nodiscard]] const ImageShape& input() const { return inputs.front(); }
  /// Whether it has weights: a convolution or a transposed convolution.
  [[nodiscard]] bool weighted() const {
    return operation == Operation::convolution || operation == Operation::transposed_convolution;
  }
  /// Whether each channel is filtered by itself: a convolution with groups = channels.
  [[nodiscard]] bool depthwise() const { return weighted() && groups == input().channels && groups == output.channels; }
  [[nodiscard]] std::int64_t taps() const { return static_cast<std::int64_t>(kernel) * kernel; }
  [[nodiscard]] std::int64_t weight_count() const {
    return weighted() ? input().channels * output.channels / groups * taps() : 0;
  }
  [[nodiscard]] std::int64_t bias_count() const { return weighted() ? output.channels : 0; }
  /// The index into the weights of output channel o, input channel i (both of one group) and tap t = row * kernel +
  /// column.
  [[nodiscard]] std::int64_t weight_index(std::int64_t o, std::int64_t i, std::int64_t t) const;
};

/// A feed-forward graph: layers in the order of computation, each of which may read any earlier boundaries.
/// `parameters` holds the weights, then the biases, of each layer in order. A row of a network's inputs concatenates
/// the values of all inputs, each as [channel, row, column]; likewise a row of its outputs.
struct LayerGraph {
  std::vector<ImageShape> inputs{};  // boundaries 0, 1, ...
  std::vector<Layer> layers{};       // layer l writes boundary inputs.size() + l
  std::vector<float> parameters{};
  std::vector<std::int64_t> outputs{};  // boundaries; empty: the last one alone

  /// The shape of the only input, or output; throws Misuse if there are several.
  [[nodiscard]] ImageShape input() const;
  [[nodiscard]] ImageShape output() const;
  /// The boundaries that are the network's outputs.
  [[nodiscard]] std::vector<std::int64_t> output_boundaries() const;
  /// The number of values of all inputs, and of all outputs, in one row.
  [[nodiscard]] std::int64_t input_size() const;
  [[nodiscard]] std::int64_t output_size() const;
  [[nodiscard]] std::int64_t boundaries() const { return static_cast<std::int64_t>(inputs.size() + layers.size()); }
  /// The last boundary so far, and the one that layer l writes.
  [[nodiscard]] std::int64_t last() const { return boundaries() - 1; }
  [[nodiscard]] std::int64_t boundary_of(std::size_t layer) const {
    return static_cast<std::int64_t>(inputs.size() + layer);
  }
  /// The shape at a boundary.
  [[nodiscard]] ImageShape boundary(std::int64_t index) const;
  /// Appends a layer with zero parameters; throws Misuse if its options or shapes make no sense.
  LayerGraph& add(Operation operation, const LayerOptions& options);
  [[nodiscard]] std::span<float> weight(const Layer& layer);
  [[nodiscard]] std::span<const float> weight(const Layer& layer) const;
  [[nodiscard]] std::span<float> bias(const Layer& layer);
  [[nodiscard]] std::span<const float> bias(const Layer& layer) const;
};

/// Why `graph` is not a network (no inputs, no layers, or outputs that are not boundaries); empty if it is.
std::string defect(const LayerGraph& graph);

/// The parameters of a batch normalisation, one value per channel.
struct BatchNormalisation {
  std::vector<float> scale;
  std::vector<float> shift;
  std::vector<float> mean;
  std::vector<float> variance;
  double epsilon = 1e-5;
};

/// Folds an evaluation-mode batch normalisation, scale (y - mean) / sqrt(variance + epsilon) + shift, between a
/// convolution or transposed convolution and its activation, into that layer's weights and biases.
void fold_batch_normalisation(LayerGraph& graph, std::int64_t layer, const BatchNormalisation& normalisation);

/// Appends y[c, p] = scale[c] x[c, p] + shift[c]: a 1 x 1 convolution with groups = channels. `options` may set its
/// source and activation.
LayerGraph& add_scale_and_shift(LayerGraph& graph, std::span<const float> scale, std::span<const float> shift,
                                LayerOptions options = {});

/// Multiply-adds of one forward pass for one image, not counting those in the padding.
std::int64_t multiply_adds(const LayerGraph& graph);

/// The names in checkpoints and messages: "transposed_convolution", "leaky_relu".
std::string_view name(Operation operation);
std::string_view name(Activation activation);

/// "convolution 1x28x28 -> 32x14x14, kernel 3, stride 2, padding 1, relu", for listings and error messages.
std::string describe(const Layer& layer);

}  // namespace vaeguard::networks
