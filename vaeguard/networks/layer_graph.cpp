// Layer shapes, parameter offsets and the list of multiplies of each layer.
#include "vaeguard/networks/layer_graph.h"

#include <fmt/format.h>

#include <algorithm>

#include "vaeguard/base/error.h"

namespace vaeguard::networks {
namespace {

std::int64_t output_extent(Operation operation, std::int64_t extent, const LayerOptions& options) {
  const std::int64_t reach = static_cast<std::int64_t>(options.dilation) * (options.kernel - 1);
  if (operation == Operation::convolution) {
    const std::int64_t room = extent + 2 * options.padding - reach - 1;
    return room < 0 ? 0 : room / options.stride + 1;
  }
  return (extent - 1) * options.stride - 2 * options.padding + reach + 1;
}

}  // namespace

std::int64_t Layer::weight_index(std::int64_t o, std::int64_t i, std::int64_t t) const {
  const std::int64_t taps = static_cast<std::int64_t>(kernel) * kernel;
  return operation == Operation::convolution ? (o * input.channels + i) * taps + t
                                             : (i * output.channels + o) * taps + t;
}

LayerGraph& LayerGraph::add(Operation operation, const LayerOptions& options) {
  if (options.channels < 1 || options.kernel < 1 || options.stride < 1 || options.padding < 0 || options.dilation < 1) {
    misuse("networks.layer_graph",
           "channels, kernel, stride and dilation must be positive, padding not negative; got {}, {}, {}, {}, {}",
           options.channels, options.kernel, options.stride, options.dilation, options.padding);
  }
  Layer layer;
  layer.operation = operation;
  layer.input = output();
  layer.output = {options.channels, output_extent(operation, layer.input.height, options),
                  output_extent(operation, layer.input.width, options)};
  layer.kernel = options.kernel;
  layer.stride = options.stride;
  layer.padding = options.padding;
  layer.dilation = options.dilation;
  layer.activation = options.activation;
  if (layer.output.height < 1 || layer.output.width < 1) {
    misuse("networks.layer_graph", "no output remains: {}", describe(layer));
  }
  layer.weight_offset = static_cast<std::int64_t>(parameters.size());
  layer.bias_offset = layer.weight_offset + layer.weight_count();
  parameters.resize(static_cast<std::size_t>(layer.bias_offset + options.channels), 0.0F);
  layers.push_back(layer);
  return *this;
}

std::span<float> LayerGraph::weight(const Layer& layer) {
  return std::span(parameters)
      .subspan(static_cast<std::size_t>(layer.weight_offset), static_cast<std::size_t>(layer.weight_count()));
}
std::span<const float> LayerGraph::weight(const Layer& layer) const {
  return std::span(parameters)
      .subspan(static_cast<std::size_t>(layer.weight_offset), static_cast<std::size_t>(layer.weight_count()));
}
std::span<float> LayerGraph::bias(const Layer& layer) {
  return std::span(parameters)
      .subspan(static_cast<std::size_t>(layer.bias_offset), static_cast<std::size_t>(layer.output.channels));
}
std::span<const float> LayerGraph::bias(const Layer& layer) const {
  return std::span(parameters)
      .subspan(static_cast<std::size_t>(layer.bias_offset), static_cast<std::size_t>(layer.output.channels));
}

std::vector<Connection> connections(const Layer& layer) {
  const bool transposed = layer.operation == Operation::transposed_convolution;
  // The side that is walked with the stride: the output of a convolution, the input of a transposed one.
  const ImageShape coarse = transposed ? layer.input : layer.output;
  const ImageShape fine = transposed ? layer.output : layer.input;
  std::vector<Connection> result;
  for (std::int64_t row = 0; row < coarse.height; ++row) {
    for (std::int64_t column = 0; column < coarse.width; ++column) {
      for (int k = 0; k < layer.kernel * layer.kernel; ++k) {
        const std::int64_t y = row * layer.stride - layer.padding + layer.dilation * (k / layer.kernel);
        const std::int64_t x = column * layer.stride - layer.padding + layer.dilation * (k % layer.kernel);
        if (y < 0 || y >= fine.height || x < 0 || x >= fine.width) {
          continue;
        }
        const auto at_coarse = static_cast<std::int32_t>(row * coarse.width + column);
        const auto at_fine = static_cast<std::int32_t>(y * fine.width + x);
        result.push_back(transposed ? Connection{at_fine, at_coarse, k} : Connection{at_coarse, at_fine, k});
      }
    }
  }
  std::ranges::stable_sort(result, {}, [](const Connection& c) { return std::pair(c.output, c.tap); });
  return result;
}

std::int64_t multiply_adds(const LayerGraph& graph) {
  std::int64_t total = 0;
  for (const Layer& layer : graph.layers) {
    total += static_cast<std::int64_t>(connections(layer).size()) * layer.input.channels * layer.output.channels;
  }
  return total;
}

std::string describe(const Layer& layer) {
  const auto shape = [](const ImageShape& s) { return fmt::format("{}x{}x{}", s.channels, s.height, s.width); };
  return fmt::format("{} {} -> {}, kernel {}, stride {}, padding {}, dilation {}{}",
                     layer.operation == Operation::convolution ? "convolution" : "transposed convolution",
                     shape(layer.input), shape(layer.output), layer.kernel, layer.stride, layer.padding, layer.dilation,
                     layer.activation == Activation::relu ? ", relu" : "");
}

}  // namespace vaeguard::networks
