// Layer shapes, parameter offsets and the list of multiplies of each layer.
#include "vaeguard/networks/layer_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "vaeguard/base/error.h"

namespace vaeguard::networks {
namespace {

constexpr const char* kPlace = "networks.layer_graph";

std::int64_t output_extent(Operation operation, std::int64_t extent, const LayerOptions& options) {
  const std::int64_t reach = static_cast<std::int64_t>(options.dilation) * (options.kernel - 1);
  if (operation == Operation::convolution) {
    const std::int64_t room = extent + 2 * options.padding - reach - 1;
    return room < 0 ? 0 : room / options.stride + 1;
  }
  return (extent - 1) * options.stride - 2 * options.padding + reach + 1 + options.output_padding;
}

void check_convolution(const Layer& layer, const LayerOptions& options) {
  if (options.channels < 1 || options.kernel < 1 || options.dilation < 1 || options.padding < 0) {
    misuse(kPlace, "channels, kernel and dilation must be positive, padding not negative; got {}, {}, {}, {}",
           options.channels, options.kernel, options.dilation, options.padding);
  }
  if (options.groups < 1 || layer.input.channels % options.groups != 0 || options.channels % options.groups != 0) {
    misuse(kPlace, "groups must divide the channels of input and output, {} and {}; got {}", layer.input.channels,
           options.channels, options.groups);
  }
  const bool transposed = layer.operation == Operation::transposed_convolution;
  if (options.output_padding < 0 || options.output_padding >= (transposed ? options.stride : 1)) {
    misuse(kPlace, "output_padding must be 0, or less than the stride of a transposed convolution; got {}",
           options.output_padding);
  }
}

// The shape that a layer's options give; zero extents where none remains.
ImageShape output_shape(const Layer& layer, const LayerOptions& options) {
  const ImageShape& input = layer.input;
  const std::int64_t factor = options.stride;
  switch (layer.operation) {
    case Operation::addition:
      return input;
    case Operation::upsampling:
      return {input.channels, input.height * factor, input.width * factor};
    case Operation::pixel_shuffle:
      return {input.channels / (factor * factor), input.height * factor, input.width * factor};
    case Operation::reshape:
      return options.shape;
    default:
      return {options.channels, output_extent(layer.operation, input.height, options),
              output_extent(layer.operation, input.width, options)};
  }
}

// What an operation asks of the shapes around it.
void check_shapes(const LayerGraph& graph, const Layer& layer) {
  if (layer.operation == Operation::addition && !(graph.boundary(layer.other) == layer.input)) {
    misuse(kPlace, "an addition needs equal shapes, boundaries {} and {} differ", layer.source, layer.other);
  }
  if (layer.operation == Operation::pixel_shuffle && layer.input.channels % (layer.stride * layer.stride) != 0) {
    misuse(kPlace, "a pixel shuffle by {} needs a multiple of {} channels, got {}", layer.stride,
           layer.stride * layer.stride, layer.input.channels);
  }
  if (layer.operation == Operation::reshape && layer.output.size() != layer.input.size()) {
    misuse(kPlace, "a reshape keeps the number of values, {} became {}", layer.input.size(), layer.output.size());
  }
  if (layer.output.channels < 1 || layer.output.height < 1 || layer.output.width < 1) {
    misuse(kPlace, "no output remains: {}", describe(layer));
  }
}

constexpr std::array<std::string_view, 6> kOperationNames{"convolution", "transposed_convolution", "addition",
                                                          "upsampling",  "pixel_shuffle",          "reshape"};
constexpr std::array<std::string_view, 7> kActivationNames{"none", "relu", "leaky_relu", "elu",
                                                           "silu", "tanh", "sigmoid"};

}  // namespace

std::int64_t Layer::weight_index(std::int64_t o, std::int64_t i, std::int64_t t) const {
  const std::int64_t inputs = input.channels / groups;
  const std::int64_t outputs = output.channels / groups;
  return operation == Operation::convolution ? (o * inputs + i % inputs) * taps() + t
                                             : (i * outputs + o % outputs) * taps() + t;
}

ImageShape LayerGraph::boundary(std::int64_t index) const {
  return index == 0 ? input : layers[static_cast<std::size_t>(index - 1)].output;
}

LayerGraph& LayerGraph::add(Operation operation, const LayerOptions& options) {
  const auto last = static_cast<std::int64_t>(layers.size());
  if (options.source < -1 || options.source > last || options.other < 0 || options.other > last) {
    misuse(kPlace, "source and other must name boundaries 0 to {}, got {} and {}", last, options.source, options.other);
  }
  if (options.stride < 1) {
    misuse(kPlace, "stride must be positive, got {}", options.stride);
  }
  if (!std::isfinite(options.slope) || options.slope < 0.0) {
    misuse(kPlace, "slope must be finite and not negative, got {}", options.slope);
  }
  Layer layer{.operation = operation,
              .source = options.source < 0 ? last : options.source,
              .other = options.other,
              .kernel = options.kernel,
              .stride = options.stride,
              .padding = options.padding,
              .output_padding = options.output_padding,
              .dilation = options.dilation,
              .groups = options.groups,
              .activation = options.activation,
              .slope = options.slope};
  layer.input = boundary(layer.source);
  if (layer.weighted()) {
    check_convolution(layer, options);
  }
  layer.output = output_shape(layer, options);
  check_shapes(*this, layer);
  layer.weight_offset = static_cast<std::int64_t>(parameters.size());
  layer.bias_offset = layer.weight_offset + layer.weight_count();
  parameters.resize(static_cast<std::size_t>(layer.bias_offset + layer.bias_count()), 0.0F);
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
      .subspan(static_cast<std::size_t>(layer.bias_offset), static_cast<std::size_t>(layer.bias_count()));
}
std::span<const float> LayerGraph::bias(const Layer& layer) const {
  return std::span(parameters)
      .subspan(static_cast<std::size_t>(layer.bias_offset), static_cast<std::size_t>(layer.bias_count()));
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

std::vector<std::int64_t> moves(const Layer& layer) {
  const ImageShape& from = layer.input;
  const ImageShape& to = layer.output;
  const std::int64_t factor = layer.stride;
  std::vector<std::int64_t> result;
  result.reserve(static_cast<std::size_t>(to.size()));
  for (std::int64_t c = 0; c < to.channels; ++c) {
    for (std::int64_t y = 0; y < to.height; ++y) {
      for (std::int64_t x = 0; x < to.width; ++x) {
        const std::int64_t channel =
            layer.operation == Operation::pixel_shuffle ? (c * factor + y % factor) * factor + x % factor : c;
        result.push_back(layer.operation == Operation::reshape
                             ? static_cast<std::int64_t>(result.size())
                             : (channel * from.height + y / factor) * from.width + x / factor);
      }
    }
  }
  return result;
}

double activate(Activation activation, double slope, double x) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::leaky_relu:
      return x > 0.0 ? x : slope * x;
    case Activation::elu:
      return x > 0.0 ? x : slope * std::expm1(x);
    case Activation::silu:
      return x / (1.0 + std::exp(-x));
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return 1.0 / (1.0 + std::exp(-x));
  }
  return x;
}

double activate_derivative(Activation activation, double slope, double x) {
  const double y = activate(activation, slope, x);
  switch (activation) {
    case Activation::none:
      return 1.0;
    case Activation::relu:
      return x > 0.0 ? 1.0 : 0.0;
    case Activation::leaky_relu:
      return x > 0.0 ? 1.0 : slope;
    case Activation::elu:
      return x > 0.0 ? 1.0 : y + slope;
    case Activation::silu: {
      const double gate = activate(Activation::sigmoid, 0.0, x);
      return gate + y * (1.0 - gate);
    }
    case Activation::tanh:
      return 1.0 - y * y;
    case Activation::sigmoid:
      return y * (1.0 - y);
  }
  return 1.0;
}

void fold_batch_normalisation(LayerGraph& graph, std::int64_t index, const BatchNormalisation& normalisation) {
  if (index < 0 || index >= static_cast<std::int64_t>(graph.layers.size())) {
    misuse(kPlace, "there is no layer {} to take a batch normalisation", index);
  }
  const Layer layer = graph.layers[static_cast<std::size_t>(index)];
  const auto channels = static_cast<std::size_t>(layer.bias_count());
  for (const auto* values :
       {&normalisation.scale, &normalisation.shift, &normalisation.mean, &normalisation.variance}) {
    if (channels == 0 || values->size() != channels) {
      misuse(kPlace, "a batch normalisation of {} channels cannot follow {}", values->size(), describe(layer));
    }
  }
  for (std::int64_t o = 0; o < layer.output.channels; ++o) {
    const auto c = static_cast<std::size_t>(o);
    const double factor = normalisation.scale[c] / std::sqrt(normalisation.variance[c] + normalisation.epsilon);
    float& bias = graph.bias(layer)[c];
    bias = static_cast<float>((static_cast<double>(bias) - normalisation.mean[c]) * factor + normalisation.shift[c]);
    const std::int64_t inputs = layer.input.channels / layer.groups;
    const std::int64_t first = o / (layer.output.channels / layer.groups) * inputs;
    for (std::int64_t i = first; i < first + inputs; ++i) {
      for (std::int64_t t = 0; t < layer.taps(); ++t) {
        float& weight = graph.weight(layer)[static_cast<std::size_t>(layer.weight_index(o, i, t))];
        weight = static_cast<float>(weight * factor);
      }
    }
  }
}

std::int64_t multiply_adds(const LayerGraph& graph) {
  std::int64_t total = 0;
  for (const Layer& layer : graph.layers) {
    if (layer.weighted()) {
      total += static_cast<std::int64_t>(connections(layer).size()) * layer.weight_count() / layer.taps();
    }
  }
  return total;
}

std::string_view name(Operation operation) { return kOperationNames[static_cast<std::size_t>(operation)]; }
std::string_view name(Activation activation) { return kActivationNames[static_cast<std::size_t>(activation)]; }

std::string describe(const Layer& layer) {
  const auto shape = [](const ImageShape& s) { return fmt::format("{}x{}x{}", s.channels, s.height, s.width); };
  std::string text = fmt::format("{} {} -> {}", name(layer.operation), shape(layer.input), shape(layer.output));
  std::ranges::replace(text, '_', ' ');
  if (layer.weighted()) {
    text += fmt::format(", kernel {}, stride {}, padding {}, dilation {}", layer.kernel, layer.stride, layer.padding,
                        layer.dilation);
    text += layer.output_padding == 0 ? "" : fmt::format(", output padding {}", layer.output_padding);
    text += layer.groups == 1 ? "" : fmt::format(", {} groups", layer.groups);
  }
  return layer.activation == Activation::none ? text : fmt::format("{}, {}", text, name(layer.activation));
}

}  // namespace vaeguard::networks
