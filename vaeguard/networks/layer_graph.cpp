// Building a graph: sources, shapes, parameter offsets, and folding batch normalisations.
#include "vaeguard/networks/layer_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "vaeguard/base/error.h"
#include "vaeguard/networks/layer_maps.h"
#include "vaeguard/networks/operations.h"

namespace vaeguard::networks {
namespace {

constexpr const char* kPlace = "networks.layer_graph";

// The boundaries that a new layer reads.
std::vector<std::int64_t> resolved(const LayerGraph& graph, const OperationEntry& entry,
                                   std::vector<std::int64_t> sources) {
  if (sources.empty()) {
    sources = {-1};
  }
  if (sources.size() < entry.least_sources || sources.size() > entry.most_sources) {
    misuse(kPlace, "the number of sources of the operation {} must be {}{}, got {}", entry.name,
           entry.most_sources == kAnyNumber ? "at least " : "", entry.least_sources, sources.size());
  }
  for (std::int64_t& source : sources) {
    if (source < -1 || source > graph.last()) {
      misuse(kPlace, "sources must be boundaries 0 to {}, or -1 for the last, got {}", graph.last(), source);
    }
    source = source < 0 ? graph.last() : source;
  }
  return sources;
}

// A field that the operation does not read would be silently ignored.
void refuse_idle_fields(const OperationEntry& entry, const LayerOptions& options) {
  const LayerOptions defaults;
  for (const OptionField& field : option_fields()) {
    const bool read = std::ranges::any_of(entry.fields, [&](const OptionField& f) { return f.name == field.name; });
    const bool set = std::visit([&](auto member) { return !(options.*member == defaults.*member); }, field.member);
    if (set && !read) {
      misuse(kPlace, "a layer of the operation {} takes no {}", entry.name, field.name);
    }
  }
}

void check_activation(const LayerOptions& options) {
  if (!std::isfinite(options.slope) || options.slope < 0.0) {
    misuse(kPlace, "slope must be finite and not negative, got {}", options.slope);
  }
  if (!std::isfinite(options.low) || !std::isfinite(options.high) || options.low > options.high) {
    misuse(kPlace, "low and high must be finite, low not above high, got {} and {}", options.low, options.high);
  }
}

std::int64_t total(const std::vector<ImageShape>& shapes) {
  return std::transform_reduce(shapes.begin(), shapes.end(), std::int64_t{0}, std::plus{},
                               [](const ImageShape& shape) { return shape.size(); });
}

std::string text(const ImageShape& shape) { return fmt::format("{}x{}x{}", shape.channels, shape.height, shape.width); }

}  // namespace

std::int64_t Layer::weight_index(std::int64_t o, std::int64_t i, std::int64_t t) const {
  const std::int64_t inputs_of_group = input().channels / groups;
  const std::int64_t outputs_of_group = output.channels / groups;
  return operation == Operation::convolution ? (o * inputs_of_group + i % inputs_of_group) * taps() + t
                                             : (i * outputs_of_group + o % outputs_of_group) * taps() + t;
}

ImageShape LayerGraph::input() const {
  if (inputs.size() != 1) {
    misuse(kPlace, "the graph must have exactly one input here, it has {}", inputs.size());
  }
  return inputs.front();
}

ImageShape LayerGraph::output() const {
  const std::vector<std::int64_t> all = output_boundaries();
  if (all.size() != 1) {
    misuse(kPlace, "the graph must have exactly one output here, it has {}", all.size());
  }
  return boundary(all.front());
}

std::vector<std::int64_t> LayerGraph::output_boundaries() const {
  return outputs.empty() ? std::vector<std::int64_t>{last()} : outputs;
}

std::int64_t LayerGraph::input_size() const { return total(inputs); }

std::int64_t LayerGraph::output_size() const {
  std::vector<ImageShape> shapes;
  for (const std::int64_t index : output_boundaries()) {
    shapes.push_back(boundary(index));
  }
  return total(shapes);
}

ImageShape LayerGraph::boundary(std::int64_t index) const {
  const auto i = static_cast<std::size_t>(index);
  return i < inputs.size() ? inputs[i] : layers[i - inputs.size()].output;
}

LayerGraph& LayerGraph::add(Operation operation, const LayerOptions& options) {
  const OperationEntry& entry = networks::entry(operation);
  if (options.stride < 1) {
    misuse(kPlace, "stride must be positive, got {}", options.stride);
  }
  check_activation(options);
  refuse_idle_fields(entry, options);
  Layer layer{options};
  layer.operation = operation;
  layer.sources = resolved(*this, entry, options.sources);
  for (const std::int64_t source : layer.sources) {
    layer.inputs.push_back(boundary(source));
  }
  layer.output = entry.output(layer);
  if (layer.output.channels < 1 || layer.output.height < 1 || layer.output.width < 1) {
    misuse(kPlace, "no output remains: {}", describe(layer));
  }
  layer.weight_offset = static_cast<std::int64_t>(parameters.size());
  layer.bias_offset = layer.weight_offset + layer.weight_count();
  parameters.resize(static_cast<std::size_t>(layer.bias_offset + layer.bias_count()), 0.0F);
  layers.push_back(std::move(layer));
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

std::string defect(const LayerGraph& graph) {
  if (graph.inputs.empty()) {
    return "the graph has no inputs";
  }
  if (graph.layers.empty()) {
    return "the graph has no layers";
  }
  for (const std::int64_t output : graph.outputs) {
    if (output < 0 || output > graph.last()) {
      return fmt::format("an output must be one of the boundaries 0 to {}, got {}", graph.last(), output);
    }
  }
  return "";
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
    const std::int64_t inputs = layer.input().channels / layer.groups;
    const std::int64_t first = o / (layer.output.channels / layer.groups) * inputs;
    for (std::int64_t i = first; i < first + inputs; ++i) {
      for (std::int64_t t = 0; t < layer.taps(); ++t) {
        float& weight = graph.weight(layer)[static_cast<std::size_t>(layer.weight_index(o, i, t))];
        weight = static_cast<float>(weight * factor);
      }
    }
  }
}

LayerGraph& add_scale_and_shift(LayerGraph& graph, std::span<const float> scale, std::span<const float> shift,
                                LayerOptions options) {
  const auto channels = static_cast<std::int64_t>(scale.size());
  const std::int64_t source = resolved(graph, entry(Operation::convolution), options.sources).front();
  if (channels != graph.boundary(source).channels || shift.size() != scale.size()) {
    misuse(kPlace, "scale and shift must have one value for each of {} channels, got {} and {}",
           graph.boundary(source).channels, scale.size(), shift.size());
  }
  options.channels = channels;
  options.groups = static_cast<int>(channels);
  graph.add(Operation::convolution, options);
  const Layer& layer = graph.layers.back();
  std::ranges::copy(scale, graph.weight(layer).begin());
  std::ranges::copy(shift, graph.bias(layer).begin());
  return graph;
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

std::string describe(const Layer& layer) {
  std::string result = std::string(name(layer.operation)) + " ";
  std::ranges::replace(result, '_', ' ');
  for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
    result += (i == 0 ? "" : ", ") + text(layer.inputs[i]);
  }
  result += " -> " + text(layer.output);
  if (layer.weighted()) {
    result += fmt::format(", kernel {}, stride {}, padding {}, dilation {}", layer.kernel, layer.stride, layer.padding,
                          layer.dilation);
    result += layer.output_padding == 0 ? "" : fmt::format(", output padding {}", layer.output_padding);
    result += layer.groups == 1 ? "" : fmt::format(", {} groups", layer.groups);
  }
  return layer.activation == Activation::none ? result : fmt::format("{}, {}", result, name(layer.activation));
}

}  // namespace vaeguard::networks
