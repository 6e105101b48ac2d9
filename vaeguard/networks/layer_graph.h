// A network as plain data: layers, shapes and one flat vector of parameters that any backend can compile.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vaeguard/base/image_shape.h"

namespace vaeguard::networks {

enum class Operation { convolution, transposed_convolution };
enum class Activation { none, relu };

/// One square-kernel layer. A linear layer is a convolution with kernel 1 on a 1 x 1 image.
/// Weights lie in PyTorch's order: [output, input, k, k] for a convolution, [input, output, k, k] for a transposed one.
struct Layer {
  Operation operation = Operation::convolution;
  ImageShape input;
  ImageShape output;
  int kernel = 1;
  int stride = 1;
  int padding = 0;
  int dilation = 1;
  Activation activation = Activation::none;
  std::int64_t weight_offset = 0;  // into LayerGraph::parameters
  std::int64_t bias_offset = 0;

  [[nodiscard]] std::int64_t weight_count() const { return input.channels * output.channels * kernel * kernel; }
  /// Where output channel o, input channel i, tap t = row * kernel + column stands in the layer's weights.
  [[nodiscard]] std::int64_t weight_index(std::int64_t o, std::int64_t i, std::int64_t t) const;
};

/// What a new layer is asked to be; its shapes follow from the graph.
struct LayerOptions {
  std::int64_t channels = 0;  // of the output
  int kernel = 1;
  int stride = 1;
  int padding = 0;
  int dilation = 1;
  Activation activation = Activation::none;
};

/// A chain of layers. `parameters` holds weight then bias of each layer, in order.
struct LayerGraph {
  ImageShape input;
  std::vector<Layer> layers;
  std::vector<float> parameters;

  [[nodiscard]] ImageShape output() const { return layers.empty() ? input : layers.back().output; }
  /// Appends a layer with zero parameters; throws Misuse where no output would remain.
  LayerGraph& add(Operation operation, const LayerOptions& options);
  [[nodiscard]] std::span<float> weight(const Layer& layer);
  [[nodiscard]] std::span<const float> weight(const Layer& layer) const;
  [[nodiscard]] std::span<float> bias(const Layer& layer);
  [[nodiscard]] std::span<const float> bias(const Layer& layer) const;
};

/// One multiply of a layer: output position, input position (row-major) and tap of the kernel.
struct Connection {
  std::int32_t output = 0;
  std::int32_t input = 0;
  std::int32_t tap = 0;
};

/// Every (output, input, tap) that a layer multiplies, ordered by output, then tap. Positions in the padding do not
/// appear, so a backend that walks this list does no work for them. A convolution reads o * stride - padding +
/// dilation * k, a transposed one writes i * stride - padding + dilation * k.
std::vector<Connection> connections(const Layer& layer);

/// Multiply-adds of one forward pass for one image, those in the padding not counted.
std::int64_t multiply_adds(const LayerGraph& graph);

/// "convolution 1x28x28 -> 32x14x14, kernel 3, stride 2, padding 1, relu", for listings and error messages.
std::string describe(const Layer& layer);

}  // namespace vaeguard::networks
