// Random layer graphs and inputs, and how far float arithmetic may stray from double on them.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/base/matrix.h"
#include "vaeguard/base/random.h"
#include "vaeguard/networks/layer_graph.h"
#include "vaeguard/networks/reference/reference_network.h"

namespace vaeguard::networks {

/// Parameters N(0, 1 / fan in), so that values keep their size from layer to layer; biases N(0, 1 / 4).
inline void randomise(LayerGraph& graph, Key key) {
  fill_normal(key, graph.parameters);
  for (const Layer& layer : graph.layers) {
    const auto fan = static_cast<double>(layer.input.channels * layer.kernel * layer.kernel);
    for (float& value : graph.weight(layer)) {
      value = static_cast<float>(value / std::sqrt(fan));
    }
    for (float& value : graph.bias(layer)) {
      value *= 0.5F;
    }
  }
}

/// One to four layers of 1 to 40 channels, kernels 1 to 4, strides 1 to 3, paddings 0 to 2, dilations 1 and 2, on
/// images of 1 x 1 to 6 x 5, each with or without ReLU. Layers that leave no output or a large one are drawn again.
inline LayerGraph random_graph(Key key) {
  constexpr std::int64_t kLargest = 144;  // positions
  Stream stream(key.fold("shape"));
  const auto between = [&stream](int low, int high) {
    return low + static_cast<int>(stream.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  const bool point = between(0, 2) == 0;  // latent codes are 1 x 1 images
  LayerGraph graph{
      .input = {between(1, 40), point ? 1 : between(1, 6), point ? 1 : between(1, 5)}, .layers = {}, .parameters = {}};
  const auto depth = static_cast<std::size_t>(between(1, 4));
  while (graph.layers.size() < depth) {
    LayerGraph longer = graph;
    const auto operation = between(0, 1) == 0 ? Operation::convolution : Operation::transposed_convolution;
    const LayerOptions options{.channels = between(1, 40),
                               .kernel = between(1, 4),
                               .stride = between(1, 3),
                               .padding = between(0, 2),
                               .dilation = between(1, 2),
                               .activation = between(0, 1) == 0 ? Activation::none : Activation::relu};
    try {
      longer.add(operation, options);
    } catch (const Misuse&) {
      continue;
    }
    if (longer.output().positions() <= kLargest) {
      graph = std::move(longer);
    }
  }
  randomise(graph, key.fold("parameters"));
  return graph;
}

inline Matrix random_matrix(Key key, std::int64_t rows, std::int64_t columns) {
  Matrix matrix(rows, columns);
  for (std::int64_t b = 0; b < rows; ++b) {
    fill_normal(key.fold(static_cast<std::uint64_t>(b)), matrix.row(b));
  }
  return matrix;
}

inline std::vector<double> in_double(std::span<const float> values) { return {values.begin(), values.end()}; }

inline std::vector<double> absolute(std::span<const float> values) {
  std::vector<double> result;
  for (const float value : values) {
    result.push_back(std::abs(static_cast<double>(value)));
  }
  return result;
}

/// Bounds on the magnitudes that are added up: the same passes with |weights|, |biases|, |inputs| and no ReLU.
/// A sum of n floats strays from the exact one by about u sqrt(n) times the sum of magnitudes (a random walk of n
/// roundings of half a unit u = 2^-24 each); errors of earlier layers pass through the same magnitudes. A factor of 8
/// stands for eight standard deviations, for the packed biases' own rounding and for other orders of summation.
class Tolerance {
 public:
  explicit Tolerance(const LayerGraph& graph) : graph_(graph) {
    double terms = 0.0;
    for (Layer& layer : graph_.layers) {
      layer.activation = Activation::none;
      terms += static_cast<double>(layer.kernel * layer.kernel * (layer.input.channels + layer.output.channels));
    }
    for (float& value : graph_.parameters) {
      value = std::abs(value);
    }
    unit_ = 8.0 * 0.5 * std::numeric_limits<float>::epsilon() * std::sqrt(terms);
  }
  [[nodiscard]] double unit() const { return unit_; }
  [[nodiscard]] std::vector<std::vector<double>> forward(std::span<const float> input) const {
    return reference_forward(graph_, absolute(input));
  }
  [[nodiscard]] std::vector<double> backward(const std::vector<std::vector<double>>& magnitudes,
                                             std::span<const float> output_gradient,
                                             std::span<double> parameter_gradients = {}) const {
    return reference_backward(graph_, magnitudes, absolute(output_gradient), parameter_gradients);
  }

 private:
  LayerGraph graph_;
  double unit_;
};

}  // namespace vaeguard::networks
