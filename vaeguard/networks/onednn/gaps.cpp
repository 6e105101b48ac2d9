// Closing the gaps between dilated taps: shapes, and what constant positions contribute to the next layer's sums.
#include "vaeguard/networks/onednn/gaps.h"

#include <algorithm>

#include "vaeguard/networks/activation.h"
#include "vaeguard/networks/layer_maps.h"

namespace vaeguard::networks::onednn {
namespace {

bool leaves_gaps(const Layer& layer) {
  return layer.operation == Operation::transposed_convolution && layer.input().positions() == 1 && layer.padding == 0 &&
         layer.output_padding == 0 && layer.dilation > 1 && layer.kernel > 1;
}

// Whether layer l + 1 is a transposed convolution and the only one that reads layer l.
bool read_by_next_alone(const LayerGraph& graph, std::size_t l) {
  const auto boundary = static_cast<std::int64_t>(l + 1);
  for (std::size_t reader = l + 1; reader < graph.layers.size(); ++reader) {
    const Layer& layer = graph.layers[reader];
    const bool reads = std::ranges::find(layer.sources, boundary) != layer.sources.end();
    if (reads != (reader == l + 1)) {
      return false;
    }
  }
  return l + 1 < graph.layers.size() && graph.layers[l + 1].operation == Operation::transposed_convolution;
}

// The next layer's bias plus what the gaps contribute, for each of its values: [position][channel].
std::vector<float> bias_with_gaps(const LayerGraph& graph, const Layer& first, const Layer& next) {
  const std::int64_t channels = next.output.channels;
  std::vector<double> constant;
  for (const float bias : graph.bias(first)) {
    constant.push_back(activate(first, bias));
  }
  // What one gap contributes through each tap: [tap][channel].
  const std::int64_t inputs = next.input().channels / next.groups;
  std::vector<double> given(static_cast<std::size_t>(next.taps() * channels));
  for (std::int64_t t = 0; t < next.taps(); ++t) {
    for (std::int64_t o = 0; o < channels; ++o) {
      const std::int64_t begin = o / (channels / next.groups) * inputs;
      for (std::int64_t i = begin; i < begin + inputs; ++i) {
        given[static_cast<std::size_t>(t * channels + o)] +=
            static_cast<double>(graph.weight(next)[static_cast<std::size_t>(next.weight_index(o, i, t))]) *
            constant[static_cast<std::size_t>(i)];
      }
    }
  }
  std::vector<double> sums(static_cast<std::size_t>(next.output.size()));
  for (std::size_t i = 0; i < sums.size(); ++i) {
    sums[i] = graph.bias(next)[i % static_cast<std::size_t>(channels)];
  }
  for (const Connection& c : connections(next)) {
    const std::int64_t row = c.input / next.input().width;
    const std::int64_t column = c.input % next.input().width;
    if (row % first.dilation == 0 && column % first.dilation == 0) {
      continue;  // a tap of the first layer, not a gap
    }
    for (std::int64_t o = 0; o < channels; ++o) {
      sums[static_cast<std::size_t>(c.output * channels + o)] += given[static_cast<std::size_t>(c.tap * channels + o)];
    }
  }
  std::vector<float> result(sums.size());
  std::ranges::transform(sums, result.begin(), [](double value) { return static_cast<float>(value); });
  return result;
}

}  // namespace

std::vector<BiasedLayer> without_gaps(const LayerGraph& graph) {
  std::vector<BiasedLayer> result;
  for (const Layer& layer : graph.layers) {
    const auto bias = graph.bias(layer);
    result.push_back({layer, {bias.begin(), bias.end()}});
  }
  for (std::size_t l = 0; l + 1 < result.size(); ++l) {
    const Layer& first = graph.layers[l];
    const Layer& next = graph.layers[l + 1];
    if (!leaves_gaps(first) || !read_by_next_alone(graph, l)) {
      continue;
    }
    result[l + 1].bias = bias_with_gaps(graph, first, next);
    // Tap i of the first layer stood at i * dilation and reaches i * dilation * stride from there.
    Layer& dense = result[l].layer;
    dense.dilation = 1;
    dense.output = {first.output.channels, first.kernel, first.kernel};
    Layer& wide = result[l + 1].layer;
    wide.inputs = {dense.output};
    wide.stride = next.stride * first.dilation;
  }
  return result;
}

}  // namespace vaeguard::networks::onednn
