// Descriptions of layers by the tables of operations, to and from JSON.
#include "vaeguard/models/stored_graph.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "vaeguard/base/error.h"
#include "vaeguard/models/description.h"
#include "vaeguard/networks/activation.h"
#include "vaeguard/networks/operations.h"

namespace vaeguard::models {
namespace {

using networks::Activation;
using networks::Layer;
using networks::LayerGraph;
using networks::LayerOptions;
using networks::Operation;
using networks::OperationEntry;
using networks::OptionField;
using nlohmann::json;

json shape_text(const ImageShape& shape) { return {shape.channels, shape.height, shape.width}; }

// Constants of activations, which any layer may have.
struct Constant {
  const char* name;
  double LayerOptions::*member;
};
constexpr std::array kConstants{Constant{"slope", &LayerOptions::slope}, Constant{"low", &LayerOptions::low},
                                Constant{"high", &LayerOptions::high}};

// ---- writing

json field_text(const LayerOptions& options, const OptionField& field) {
  return std::visit(
      [&](auto member) -> json {
        if constexpr (std::is_same_v<decltype(member), ImageShape LayerOptions::*>) {
          return shape_text(options.*member);
        } else {
          return options.*member;
        }
      },
      field.member);
}

json layer_text(const Layer& layer, std::int64_t last) {
  const LayerOptions usual;
  json text{{"operation", name(layer.operation)}, {"activation", name(layer.activation)}};
  for (const OptionField& field : networks::entry(layer.operation).fields) {
    const json value = field_text(layer, field);
    if (field.always || value != field_text(usual, field)) {
      text[std::string(field.name)] = value;
    }
  }
  for (const Constant& constant : kConstants) {
    if (layer.*constant.member != usual.*constant.member) {
      text[constant.name] = layer.*constant.member;
    }
  }
  if (layer.sources.size() > 1) {
    text["sources"] = layer.sources;
  } else if (layer.source() != last) {
    text["source"] = layer.source();
  }
  return text;
}

std::vector<std::int64_t> weight_shape(Operation operation, std::int64_t inputs, const LayerOptions& options) {
  const std::int64_t outputs = options.channels;
  return operation == Operation::convolution
             ? std::vector<std::int64_t>{outputs, inputs / options.groups, options.kernel, options.kernel}
             : std::vector<std::int64_t>{inputs, outputs / options.groups, options.kernel, options.kernel};
}

// ---- reading

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (const OperationEntry& entry : networks::operations()) {
    names.emplace_back(entry.name);
  }
  return names;
}

std::vector<std::string> activation_names() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < networks::kActivations; ++i) {
    names.emplace_back(name(static_cast<Activation>(i)));
  }
  return names;
}

// The fields that a layer's description may have.
std::vector<std::string> fields_of(const OperationEntry& entry) {
  std::vector<std::string> fields{"operation", "activation"};
  for (const Constant& constant : kConstants) {
    fields.emplace_back(constant.name);
  }
  fields.emplace_back("source");
  if (entry.most_sources > 1) {
    fields.emplace_back("sources");
  }
  if (entry.operation == Operation::addition) {
    fields.emplace_back("other");
  }
  for (const OptionField& field : entry.fields) {
    fields.emplace_back(field.name);
  }
  return fields;
}

void parse_field(const Description& description, const OptionField& field, LayerOptions& options) {
  if (!field.always && !description.fields.contains(field.name)) {
    return;
  }
  std::visit(
      [&](auto member) {
        auto& value = options.*member;
        using Value = std::remove_reference_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, bool>) {
          value = description.truth(field.name);
        } else if constexpr (std::is_same_v<Value, ImageShape>) {
          value = description.shape(field.name);
        } else if constexpr (std::is_integral_v<Value>) {
          const std::int64_t most = std::is_same_v<Value, int> ? kLargestExtent : kLargestImage;
          value = static_cast<Value>(description.integer(field.name, field.least, most));
        } else {
          std::ranges::transform(description.integers(field.name, value.size(), field.least), value.begin(),
                                 [](std::int64_t i) { return static_cast<int>(i); });
        }
      },
      field.member);
}

std::vector<std::int64_t> parse_sources(const Description& description, const OperationEntry& entry,
                                        std::int64_t last) {
  const auto has = [&](const char* field) { return description.fields.contains(field); };
  if (has("sources") && (has("source") || has("other"))) {
    misuse(description.place, "{}: 'sources' stands alone, without 'source' or 'other'", description.where);
  }
  if (has("sources") || (entry.least_sources > 1 && !has("other"))) {
    std::vector<std::int64_t> sources = description.integers("sources", 0, 0, last);
    if (sources.empty()) {
      misuse(description.place, "{}: 'sources' must name at least one boundary", description.where);
    }
    return sources;
  }
  std::vector<std::int64_t> sources{has("source") ? description.integer("source", 0, last) : last};
  if (has("other")) {
    sources.push_back(description.integer("other", 0, last));
  }
  return sources;
}

LayerOptions parse_options(const Description& description, const OperationEntry& entry, std::int64_t last) {
  LayerOptions options;
  options.activation = static_cast<Activation>(description.choice("activation", activation_names()));
  for (const Constant& constant : kConstants) {
    if (description.fields.contains(constant.name)) {
      options.*constant.member = description.number(constant.name);
    }
  }
  options.sources = parse_sources(description, entry, last);
  for (const OptionField& field : entry.fields) {
    parse_field(description, field, options);
  }
  return options;
}

struct LayerTensors {
  std::vector<float> weight;
  std::vector<float> bias;
};

// They are compared with the description before a layer is made, so memory stays in proportion to the file.
LayerTensors load_tensors(const Safetensors& file, const Description& description, Operation operation,
                          const LayerOptions& options, std::int64_t inputs) {
  const auto& [fields, where, place] = description;
  if (inputs % options.groups != 0 || options.channels % options.groups != 0) {
    misuse(place, "{}: 'groups' must divide the channels of input and output, {} and {}, found {}", where, inputs,
           options.channels, options.groups);
  }
  return {.weight = finite_floats(file, where + ".weight", weight_shape(operation, inputs, options), place),
          .bias = finite_floats(file, where + ".bias", std::array{options.channels}, place)};
}

void load_layer(const Safetensors& file, const json& fields, const std::string& where, LayerGraph& graph,
                std::string_view place) {
  if (!fields.is_object()) {
    misuse(place, "{} must be described by a JSON object, found {}", where, fields.type_name());
  }
  const Description description{fields, where, place};
  const OperationEntry& entry = networks::operations()[description.choice("operation", operation_names())];
  description.refuse_others_than(fields_of(entry));
  const LayerOptions options = parse_options(description, entry, graph.last());
  Layer kind;
  kind.operation = entry.operation;
  const LayerTensors tensors = kind.weighted() ? load_tensors(file, description, entry.operation, options,
                                                              graph.boundary(options.sources.front()).channels)
                                               : LayerTensors{};
  try {
    graph.add(entry.operation, options);
  } catch (const Misuse& error) {
    misuse(place, "{}: {}", where, error.what());
  }
  const Layer& layer = graph.layers.back();
  if (layer.output.height > kLargestExtent || layer.output.width > kLargestExtent ||
      layer.output.size() > kLargestImage) {
    misuse(place, "{}: an output may have at most {} values, found {}", where, kLargestImage, describe(layer));
  }
  std::ranges::copy(tensors.weight, graph.weight(layer).begin());
  std::ranges::copy(tensors.bias, graph.bias(layer).begin());
}

json parse_graph_text(const Safetensors& file, const std::string& prefix, std::string_view place) {
  const json description = json::parse(file.text(prefix, place), nullptr, false);
  const bool complete = description.is_object() && description.contains("input") != description.contains("inputs") &&
                        description.contains("layers") && description["layers"].is_array() &&
                        !description["layers"].empty();
  if (!complete) {
    misuse(place, "the metadata entry '{}' must be a JSON object with 'input' or 'inputs', and 'layers'", prefix);
  }
  return description;
}

std::vector<ImageShape> parse_inputs(const Description& description) {
  if (description.fields.contains("input")) {
    return {description.shape("input")};
  }
  const json& inputs = description.fields["inputs"];
  if (!inputs.is_array() || inputs.empty()) {
    misuse(description.place, "{}: 'inputs' must be a list of shapes, found {}", description.where,
           description.found("inputs"));
  }
  std::vector<ImageShape> shapes;
  for (const json& shape : inputs) {
    const json one = json::object({{"inputs", shape}});
    shapes.push_back(Description{one, description.where, description.place}.shape("inputs"));
  }
  return shapes;
}

}  // namespace

void store_graph(const LayerGraph& graph, const std::string& prefix, Safetensors& file) {
  json text{{"layers", json::array()}};
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    text["layers"].push_back(layer_text(layer, graph.boundary_of(i) - 1));
    if (layer.weighted()) {
      const std::string name = fmt::format("{}.{}", prefix, i);
      file.tensors[name + ".weight"] =
          Tensor::of(weight_shape(layer.operation, layer.input().channels, layer), graph.weight(layer));
      file.tensors[name + ".bias"] = Tensor::of({layer.output.channels}, graph.bias(layer));
    }
  }
  if (graph.inputs.size() == 1) {
    text["input"] = shape_text(graph.inputs.front());
  } else {
    std::ranges::for_each(graph.inputs, [&](const ImageShape& shape) { text["inputs"].push_back(shape_text(shape)); });
  }
  if (!graph.outputs.empty()) {
    text["outputs"] = graph.outputs;
  }
  file.metadata[prefix] = text.dump();
}

LayerGraph load_graph(const Safetensors& file, const std::string& prefix, std::string_view place) {
  const json text = parse_graph_text(file, prefix, place);
  const Description description{text, prefix, place};
  description.refuse_others_than({"input", "inputs", "layers", "outputs"});
  LayerGraph graph{.inputs = parse_inputs(description)};
  for (std::size_t i = 0; i < text["layers"].size(); ++i) {
    load_layer(file, text["layers"][i], fmt::format("{}.{}", prefix, i), graph, place);
  }
  if (text.contains("outputs")) {
    graph.outputs = description.integers("outputs", 0, 0, graph.last());
  }
  return graph;
}

bool several_ends(const LayerGraph& graph) { return graph.inputs.size() > 1 || !graph.outputs.empty(); }

std::vector<float> finite_floats(const Safetensors& file, const std::string& name, std::span<const std::int64_t> shape,
                                 std::string_view place) {
  std::vector<float> values = file.floats(name, shape, place);
  const auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
  if (bad != values.end()) {
    misuse(place, "tensor '{}' must be finite, found {} at position {}", name, *bad, bad - values.begin());
  }
  return values;
}

}  // namespace vaeguard::models
