// Random layer graphs and inputs, and how far float arithmetic may stray from double on them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
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
    const auto fan = static_cast<double>(layer.input.channels / layer.groups * layer.taps());
    for (float& value : graph.weight(layer)) {
      value = static_cast<float>(value / std::sqrt(fan));
    }
    for (float& value : graph.bias(layer)) {
      value *= 0.5F;
    }
  }
}

struct RandomGraphOptions {
  bool simple = false;  // chains of ungrouped convolutions of both kinds, with ReLU or without activation
};

/// Draws one layer (or a residual block) after another. What the graph refuses is to be drawn again.
class LayerDraw {
 public:
  explicit LayerDraw(Key key) : stream_(key) {}

  int between(int low, int high) {
    return low + static_cast<int>(stream_.below(static_cast<std::uint64_t>(high - low + 1)));
  }
  bool one_in(int count) { return between(1, count) == 1; }

  /// Kernels 1 to 4, strides 1 to 3, paddings 0 to 2, dilations 1 and 2, with ReLU or without activation.
  void add_simple(LayerGraph& graph) {
    const auto operation = between(0, 1) == 0 ? Operation::convolution : Operation::transposed_convolution;
    const LayerOptions options{.channels = between(1, 40),
                               .kernel = between(1, 4),
                               .stride = between(1, 3),
                               .padding = between(0, 2),
                               .dilation = between(1, 2),
                               .activation = between(0, 1) == 0 ? Activation::none : Activation::relu};
    graph.add(operation, options);
  }

  /// Any operation with any activation; three in four multiply by weights.
  void add_any(LayerGraph& graph) {
    switch (between(0, 11)) {
      case 0:
        return add_residual(graph);
      case 1:
        graph.add(Operation::upsampling, activated({.stride = between(1, 3), .source = source(graph)}));
        return;
      case 2:
        graph.add(Operation::pixel_shuffle, activated({.stride = between(2, 3), .source = source(graph)}));
        return;
      case 3: {
        const std::int64_t channels = between(1, 40);
        const std::int64_t height = between(1, 6);
        const std::int64_t width = graph.output().size() / (channels * height);
        graph.add(Operation::reshape, activated({.shape = {channels, height, width}}));
        return;
      }
      default:
        return add_weighted(graph);
    }
  }

 private:
  LayerOptions activated(LayerOptions options) {
    options.activation = static_cast<Activation>(between(0, 6));
    const bool sloped = options.activation == Activation::leaky_relu || options.activation == Activation::elu;
    options.slope = sloped ? 1.5 * stream_.uniform() : 0.0;
    return options;
  }

  // Mostly the last boundary.
  std::int64_t source(const LayerGraph& graph) {
    return one_in(6) ? between(0, static_cast<int>(graph.layers.size())) : -1;
  }

  // One group, one channel a group or something between.
  int groups(std::int64_t inputs, std::int64_t outputs) {
    const auto most = static_cast<int>(std::gcd(inputs, outputs));
    return one_in(2) ? 1 : one_in(2) ? most : between(1, most);
  }

  void add_weighted(LayerGraph& graph) {
    const bool transposed = one_in(2);
    const int stride = between(1, 3);
    const std::int64_t from = source(graph);
    const std::int64_t inputs = (from < 0 ? graph.output() : graph.boundary(from)).channels;
    const std::int64_t outputs = one_in(4) ? inputs : between(1, 40);
    graph.add(transposed ? Operation::transposed_convolution : Operation::convolution,
              activated({.channels = outputs,
                         .kernel = between(1, 4),
                         .stride = stride,
                         .padding = between(0, 2),
                         .output_padding = transposed ? between(0, stride - 1) : 0,
                         .dilation = between(1, 2),
                         .groups = groups(inputs, outputs),
                         .source = from}));
  }

  // Around no layer (a boundary added to itself), one or two that keep the shape.
  void add_residual(LayerGraph& graph) {
    const auto entry = static_cast<std::int64_t>(graph.layers.size());
    const std::int64_t channels = graph.output().channels;
    for (int layers = between(0, 2); layers > 0; --layers) {
      const int reach = between(0, 1);
      const int dilation = between(1, 2);
      graph.add(Operation::convolution, activated({.channels = channels,
                                                   .kernel = 2 * reach + 1,
                                                   .padding = reach * dilation,
                                                   .dilation = dilation,
                                                   .groups = groups(channels, channels)}));
    }
    graph.add(Operation::addition, activated({.other = entry}));
  }

  Stream stream_;
};

/// One to four draws on images of 1 x 1 to 6 x 5 with 1 to 40 channels. Layers that the graph refuses, and those that
/// give a large output, are drawn again.
inline LayerGraph random_graph(Key key, const RandomGraphOptions& options = {}) {
  constexpr std::int64_t kLargest = 144;  // positions
  LayerDraw draw(key.fold("shape"));
  const bool point = draw.between(0, 2) == 0;  // latent codes are 1 x 1 images
  LayerGraph graph{.input = {draw.between(1, 40), point ? 1 : draw.between(1, 6), point ? 1 : draw.between(1, 5)},
                   .layers = {},
                   .parameters = {}};
  for (int left = draw.between(1, 4); left > 0;) {
    LayerGraph longer = graph;
    try {
      options.simple ? draw.add_simple(longer) : draw.add_any(longer);
    } catch (const Misuse&) {
      continue;
    }
    if (longer.output().positions() <= kLargest) {
      graph = std::move(longer);
      --left;
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

/// One line a layer, for a failing test's trace.
inline std::string trace_of(const LayerGraph& graph) {
  std::string text;
  for (const Layer& layer : graph.layers) {
    text += fmt::format("{} (boundaries {}, {}; slope {})\n", describe(layer), layer.source, layer.other, layer.slope);
  }
  return text;
}

/// max |f'|, max |f''| away from a kink, and the largest value that the usual formulas for f and f' add and take away
/// on the way (exp(x) - 1, 1 - y y), which rounds in full even where the result is small.
struct ActivationBounds {
  double slope = 1.0;
  double curvature = 0.0;
  double offset = 0.0;
};

inline ActivationBounds bounds(const Layer& layer) {
  const double steepest = std::max(1.0, layer.slope);
  switch (layer.activation) {
    case Activation::leaky_relu:
      return {.slope = steepest};
    case Activation::elu:
      return {.slope = steepest, .curvature = layer.slope, .offset = steepest};
    case Activation::silu:  // f' = 1.0998 near 2.4, f'' = 1 / 2 at 0
      return {.slope = 1.1, .curvature = 0.5, .offset = 1.0};
    case Activation::tanh:  // f'' = 4 / (3 sqrt(3))
      return {.slope = 1.0, .curvature = 0.77, .offset = 1.0};
    case Activation::sigmoid:  // f'' = 1 / (6 sqrt(3))
      return {.slope = 0.25, .curvature = 0.097, .offset = 1.0};
    default:
      return {};
  }
}

/// A forward pass and, in Tolerance::unit(), how far floats may stray from it at each boundary.
struct Strays {
  Boundaries values;
  Boundaries errors;
  Boundaries totals;  // |values| + errors

  [[nodiscard]] const std::vector<double>& back() const { return errors.back(); }
};

/// How far float arithmetic may stray from the double one, by running error analysis. A sum of n floats strays from the
/// exact one by about u sqrt(n) times the sum of magnitudes (a random walk of n roundings of half a unit u = 2^-24
/// each), and errors e of what it reads pass through the magnitudes of the weights: |W| (|x| + e) + |b|. An activation
/// passes at most max |f'| of that on and rounds its own result. Backwards a gradient g becomes f' g, where f' strays
/// by max |f''| times the error of the sum, and is then pulled through the same |W|. A factor of 8 stands for eight
/// standard deviations, for a backend's own folding of weights and for other orders of summation. A sum that lies
/// within rounding of a kink (of ReLU, say) could fall to different sides; tests use fixed keys for which none does.
class Tolerance {
 public:
  explicit Tolerance(const LayerGraph& graph) : graph_(graph), absolute_(graph) {
    double terms = 0.0;
    for (const Layer& layer : graph_.layers) {
      terms += static_cast<double>(layer.weighted()
                                       ? layer.taps() * (layer.input.channels + layer.output.channels) / layer.groups
                                       : 1 + layer.stride * layer.stride);
    }
    for (float& value : absolute_.parameters) {
      value = std::abs(value);
    }
    unit_ = 8.0 * 0.5 * std::numeric_limits<float>::epsilon() * std::sqrt(terms);
  }
  [[nodiscard]] double unit() const { return unit_; }

  [[nodiscard]] Strays forward(std::span<const float> input) const {
    Strays strays{.values = reference_forward(graph_, in_double(input)),
                  .errors = {std::vector<double>(input.size(), 0.0)},
                  .totals = {absolute(input)}};
    for (std::size_t l = 0; l < graph_.layers.size(); ++l) {
      const ActivationBounds bound = bounds(graph_.layers[l]);
      std::vector<double> error = reference_sums(absolute_, graph_.layers[l], strays.totals);
      std::vector<double> total = error;
      for (std::size_t i = 0; i < error.size(); ++i) {
        const double size = std::abs(strays.values[l + 1][i]);
        error[i] = bound.slope * error[i] + size + bound.offset;
        total[i] = size + error[i];
      }
      strays.errors.push_back(std::move(error));
      strays.totals.push_back(std::move(total));
    }
    return strays;
  }

  /// For the input gradient; adds those of the parameter gradients to `parameter_errors` unless empty.
  [[nodiscard]] std::vector<double> backward(const Strays& strays, std::span<const float> output_gradient,
                                             std::span<double> parameter_errors = {}) const {
    Boundaries sizes = strays.values;  // |x|
    Boundaries zeros = strays.values;
    for (std::size_t l = 0; l < sizes.size(); ++l) {
      std::ranges::transform(sizes[l], sizes[l].begin(), [](double value) { return std::abs(value); });
      std::ranges::fill(zeros[l], 0.0);
    }
    Boundaries gradients = zeros;
    Boundaries errors = zeros;
    gradients.back() = in_double(output_gradient);
    for (std::size_t l = graph_.layers.size(); l-- > 0;) {
      const Layer& layer = graph_.layers[l];
      const ActivationBounds bound = bounds(layer);
      const std::vector<double> sums = reference_sums(graph_, layer, strays.values);
      const std::vector<double> sum_errors = reference_sums(absolute_, layer, strays.totals);
      std::vector<double> gradient = gradients[l + 1];
      std::vector<double> size = gradient;
      std::vector<double> error = errors[l + 1];
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        error[i] = bound.slope * error[i] +
                   std::abs(gradient[i]) * (bound.curvature * sum_errors[i] + bound.slope + bound.offset);
        gradient[i] *= activate_derivative(layer.activation, layer.slope, sums[i]);
        size[i] = std::abs(gradient[i]);
        error[i] += size[i];
      }
      reference_pull(graph_, layer, strays.values, gradient, gradients, {});
      reference_pull(absolute_, layer, sizes, error, errors, parameter_errors);
      if (!parameter_errors.empty()) {  // g times the error of x, besides |x| times the error of g
        Boundaries unused = zeros;
        reference_pull(absolute_, layer, strays.errors, size, unused, parameter_errors);
      }
    }
    return errors.front();
  }

  /// Whether a sum lies so near the kink of its activation that floats may fall to its other side.
  [[nodiscard]] bool near_kink(const Strays& strays) const {
    for (const Layer& layer : graph_.layers) {
      const bool kinked = layer.activation == Activation::relu || layer.activation == Activation::leaky_relu ||
                          layer.activation == Activation::elu;
      const std::vector<double> sums = reference_sums(graph_, layer, strays.values);
      const std::vector<double> errors = reference_sums(absolute_, layer, strays.totals);
      for (std::size_t i = 0; kinked && i < sums.size(); ++i) {
        if (std::abs(sums[i]) <= unit_ * errors[i]) {
          return true;
        }
      }
    }
    return false;
  }

 private:
  LayerGraph graph_;
  LayerGraph absolute_;
  double unit_;
};

}  // namespace vaeguard::networks
