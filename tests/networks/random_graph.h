// Random layer graphs of every operation, and inputs for them.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/base/matrix.h"
#include "vaeguard/base/random.h"
#include "vaeguard/networks/activation.h"
#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks {

/// Parameters N(0, 1 / fan in), so that values keep their size from layer to layer; biases N(0, 1 / 4).
inline void randomise(LayerGraph& graph, Key key) {
  fill_normal(key, graph.parameters);
  for (const Layer& layer : graph.layers) {
    const auto fan = static_cast<double>(layer.input().channels / layer.groups * layer.taps());
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
  bool general = true;  // every operation and activation, several inputs and outputs; else what onednn runs
};

/// Draws one layer (or a residual block) after another. What the graph refuses is to be drawn again.
class LayerDraw {
 public:
  LayerDraw(Key key, bool general) : stream_(key), general_(general) {}

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
    if (general_ && one_in(2)) {
      return add_general(graph);
    }
    switch (between(0, 11)) {
      case 0:
        return add_residual(graph);
      case 1:
        graph.add(Operation::upsampling, activated({.stride = between(1, 3), .sources = {source(graph)}}));
        return;
      case 2:
        graph.add(Operation::pixel_shuffle, activated({.stride = between(2, 3), .sources = {source(graph)}}));
        return;
      case 3: {
        const std::int64_t channels = between(1, 40);
        const std::int64_t height = between(1, 6);
        const std::int64_t width = graph.output_size() / (channels * height);
        graph.add(Operation::reshape, activated({.shape = {channels, height, width}}));
        return;
      }
      default:
        return add_weighted(graph);
    }
  }

 private:
  // Operations whose values can meet others are drawn where there are some to meet.
  void add_general(LayerGraph& graph) {
    const std::int64_t from = graph.last();
    const ImageShape shape = graph.boundary(from);
    switch (between(0, 10)) {
      case 0:
        graph.add(Operation::product, activated({.sources = {from, partner(graph, from)}}));
        return;
      case 1:
        graph.add(Operation::concatenation, activated({.sources = {from, partner(graph, from), from}}));
        return;
      case 2: {
        const int first = between(0, static_cast<int>(shape.channels) - 1);
        graph.add(Operation::slice,
                  activated({.channels = between(1, static_cast<int>(shape.channels) - first), .first = first}));
        return;
      }
      case 3:
        graph.add(Operation::padding,
                  activated({.margins = {between(-1, 2), between(-1, 2), between(-1, 2), between(-1, 2)}}));
        return;
      case 4: {
        constexpr std::array<std::array<int, 3>, 3> kAxes{{{1, 2, 0}, {0, 2, 1}, {2, 1, 0}}};
        graph.add(Operation::transposition, activated({.axes = kAxes[static_cast<std::size_t>(between(0, 2))]}));
        return;
      }
      case 5:  // squeeze and excite
        graph.add(Operation::mean, activated({}));
        graph.add(Operation::convolution, activated({.channels = shape.channels}));
        return add_either(graph, Operation::product, Operation::addition, {.sources = {from, -1}});
      case 6:
        graph.add(Operation::mean, activated({}));
        return;
      case 7:
      case 8: {
        const int kernel = between(1, 3);
        const int stride = between(1, 2);
        return add_either(graph, Operation::average_pooling, Operation::max_pooling,
                          {.kernel = kernel, .stride = stride, .padding = between(0, kernel / 2)});
      }
      case 9:
        graph.add(Operation::bilinear_resize,
                  activated({.shape = {shape.channels, between(1, 9), between(1, 9)}, .align_corners = one_in(2)}));
        return;
      default:
        graph.add(Operation::softmax, activated({}));
    }
  }

  // Draws in the order of its lines, which arguments of one call need not be: a key gives the same graph everywhere.
  void add_either(LayerGraph& graph, Operation one, Operation other, const LayerOptions& options) {
    const Operation operation = one_in(2) ? one : other;
    graph.add(operation, activated(options));
  }

  // A boundary of the same shape as another, which itself is always one.
  std::int64_t partner(const LayerGraph& graph, std::int64_t boundary) {
    std::vector<std::int64_t> all;
    for (std::int64_t i = 0; i < graph.boundaries(); ++i) {
      if (graph.boundary(i) == graph.boundary(boundary)) {
        all.push_back(i);
      }
    }
    return all[static_cast<std::size_t>(between(0, static_cast<int>(all.size()) - 1))];
  }

  LayerOptions activated(LayerOptions options) {
    options.activation = static_cast<Activation>(between(0, general_ ? static_cast<int>(kActivations) - 1 : 6));
    if (options.activation == Activation::exp && !first_) {
      options.activation = Activation::softplus;  // exponentials of exponentials would leave the floats
    }
    first_ = false;
    if (options.activation == Activation::clamp) {
      options.low = -0.7 * stream_.uniform();
      options.high = 0.8 * stream_.uniform();
    }
    const bool sloped = options.activation == Activation::leaky_relu || options.activation == Activation::elu;
    options.slope = sloped ? 1.5 * stream_.uniform() : 0.0;
    return options;
  }

  // Mostly the last boundary.
  std::int64_t source(const LayerGraph& graph) { return one_in(6) ? between(0, static_cast<int>(graph.last())) : -1; }

  // One group, one channel a group or something between.
  int groups(std::int64_t inputs, std::int64_t outputs) {
    const auto most = static_cast<int>(std::gcd(inputs, outputs));
    return one_in(2) ? 1 : one_in(2) ? most : between(1, most);
  }

  void add_weighted(LayerGraph& graph) {
    const bool transposed = one_in(2);
    const int stride = between(1, 3);
    const std::int64_t from = source(graph);
    const std::int64_t inputs = (from < 0 ? graph.boundary(graph.last()) : graph.boundary(from)).channels;
    const std::int64_t outputs = one_in(4) ? inputs : between(1, 40);
    graph.add(transposed ? Operation::transposed_convolution : Operation::convolution,
              activated({.channels = outputs,
                         .kernel = between(1, 4),
                         .stride = stride,
                         .padding = between(0, 2),
                         .output_padding = transposed ? between(0, stride - 1) : 0,
                         .dilation = between(1, 2),
                         .groups = groups(inputs, outputs),
                         .sources = {from}}));
  }

  // Around no layer (a boundary added to itself), one or two that keep the shape.
  void add_residual(LayerGraph& graph) {
    const std::int64_t entry = graph.last();
    const std::int64_t channels = graph.boundary(graph.last()).channels;
    for (int layers = between(0, 2); layers > 0; --layers) {
      const int reach = between(0, 1);
      const int dilation = between(1, 2);
      graph.add(Operation::convolution, activated({.channels = channels,
                                                   .kernel = 2 * reach + 1,
                                                   .padding = reach * dilation,
                                                   .dilation = dilation,
                                                   .groups = groups(channels, channels)}));
    }
    graph.add(Operation::addition, activated({.sources = {-1, entry}}));
  }

  Stream stream_;
  bool general_;
  bool first_ = true;
};

/// One to four draws on images of 1 x 1 to 6 x 5 with 1 to 40 channels. Layers that the graph refuses, and those that
/// give a large output, are drawn again. One general graph in four has further inputs, one in four further outputs.
inline LayerGraph random_graph(Key key, const RandomGraphOptions& options = {}) {
  constexpr std::int64_t kLargest = 144;  // positions
  const bool general = options.general && !options.simple;
  LayerDraw draw(key.fold("shape"), general);
  const bool point = draw.between(0, 2) == 0;  // latent codes are 1 x 1 images
  const int channels = draw.between(1, 40);
  const int height = point ? 1 : draw.between(1, 6);
  LayerGraph graph{.inputs = {{channels, height, point ? 1 : draw.between(1, 5)}}};
  for (bool more = general && draw.one_in(4); more; more = draw.one_in(2)) {
    const ImageShape last = graph.inputs.back();
    graph.inputs.push_back(draw.one_in(2) ? last : ImageShape{draw.between(1, 9), draw.between(1, 4), 3});
  }
  for (int left = draw.between(1, 4); left > 0;) {
    LayerGraph longer = graph;
    try {
      options.simple ? draw.add_simple(longer) : draw.add_any(longer);
    } catch (const Misuse&) {
      continue;
    }
    const ImageShape last = longer.boundary(longer.last());
    if (last.positions() <= kLargest && last.channels <= kLargest) {
      graph = std::move(longer);
      --left;
    }
  }
  if (general && draw.one_in(4)) {
    graph.outputs = {graph.last(), draw.between(0, static_cast<int>(graph.last())), graph.last()};
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

/// One line a layer, for a failing test's trace.
inline std::string trace_of(const LayerGraph& graph) {
  std::string text;
  for (const Layer& layer : graph.layers) {
    text += fmt::format("{} (boundaries {}; slope {}, bounds {}, {})\n", describe(layer),
                        fmt::join(layer.sources, ", "), layer.slope, layer.low, layer.high);
  }
  return text + fmt::format("outputs: {}\n", fmt::join(graph.output_boundaries(), ", "));
}

}  // namespace vaeguard::networks
