// Protocol buffers to plain data; every doubt about a file is settled here.
#include "vaeguard/importers/onnx_graph.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <set>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/base/text.h"
#include "vaeguard/importers/onnx_tensor.h"

namespace vaeguard::importers {
namespace {

// ---- attributes

template <typename To, typename From>
std::vector<To> copied(const From& from) {
  return {from.begin(), from.end()};
}

OnnxAttribute attribute_of(const onnx::AttributeProto& attribute, const std::string& place,
                           const TensorSource& source) {
  using Kind = onnx::AttributeProto;
  switch (attribute.type()) {
    case Kind::INT:
      return attribute.i();
    case Kind::FLOAT:
      return attribute.f();
    case Kind::STRING:
      return attribute.s();
    case Kind::INTS:
      return copied<std::int64_t>(attribute.ints());
    case Kind::FLOATS:
      return copied<float>(attribute.floats());
    case Kind::TENSOR:
      return tensor_of(attribute.t(), place, source);
    case Kind::GRAPH:
    case Kind::GRAPHS:
      misuse(place, "the attribute '{}' holds a graph: loops and branches cannot be imported", attribute.name());
    default:
      misuse(place, "the attribute '{}' must be a number, a text, a tensor or a list of numbers, found type {}",
             attribute.name(), static_cast<int>(attribute.type()));
  }
}

// ---- nodes

OnnxNode node_of(const onnx::NodeProto& node, int index, std::string_view file, const TensorSource& source) {
  OnnxNode result{.name = node.name().empty() ? fmt::format("{}_{}", node.op_type(), index) : node.name(),
                  .operation = node.op_type(),
                  .inputs = copied<std::string>(node.input()),
                  .outputs = copied<std::string>(node.output()),
                  .attributes = {}};
  const std::string place = fmt::format("{}, node '{}' ({})", file, result.name, result.operation);
  if (node.op_type().empty() || node.output().empty()) {
    misuse(place, "a node must name its operation and an output");
  }
  if (!node.domain().empty() && node.domain() != "ai.onnx") {
    misuse(place, "operations must be ONNX's own, this one belongs to the domain '{}'", node.domain());
  }
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (!result.attributes.emplace(attribute.name(), attribute_of(attribute, place, source)).second) {
      misuse(place, "the attribute '{}' is there twice", attribute.name());
    }
  }
  return result;
}

// Every name is written once, and before it is read.
void check_names(const OnnxGraph& graph) {
  std::set<std::string> known;
  for (const auto& [name, tensor] : graph.initialisers) {
    known.insert(name);
  }
  for (const OnnxValue& input : graph.inputs) {
    known.insert(input.name);
  }
  for (const OnnxNode& node : graph.nodes) {
    const std::string place = fmt::format("{}, node '{}' ({})", graph.place, node.name, node.operation);
    for (const std::string& input : node.inputs) {
      if (!input.empty() && !known.contains(input)) {
        misuse(place, "it reads '{}', which nothing before it computes", input);
      }
    }
    for (const std::string& output : node.outputs) {
      if (!output.empty() && !known.insert(output).second) {
        misuse(place, "it computes '{}', which is there already", output);
      }
    }
  }
  for (const OnnxValue& output : graph.outputs) {
    if (!known.contains(output.name)) {
      misuse(graph.place, "the output '{}' is computed by no node", output.name);
    }
  }
}

// ---- the graph

OnnxValue value_of(const onnx::ValueInfoProto& value, std::string_view place) {
  if (value.name().empty() || !value.type().has_tensor_type()) {
    misuse(place, "inputs and outputs must be tensors with names, '{}' is not", value.name());
  }
  OnnxValue result{value.name(), {}};
  for (const auto& dimension : value.type().tensor_type().shape().dim()) {
    const bool known = dimension.has_dim_value() && dimension.dim_value() > 0;
    result.shape.push_back(known ? dimension.dim_value() : 0);
  }
  return result;
}

std::int64_t opset_of(const onnx::ModelProto& model, std::string_view place) {
  for (const auto& set : model.opset_import()) {
    if (set.domain().empty() || set.domain() == "ai.onnx") {
      if (set.version() < kOldestOpset || set.version() > kNewestOpset) {
        misuse(place, "the version of ONNX's operations (opset) must be from {} to {}, found {}", kOldestOpset,
               kNewestOpset, set.version());
      }
      return set.version();
    }
  }
  misuse(place, "it names no version of ONNX's operations (opset_import)");
}

OnnxGraph graph_of(const onnx::ModelProto& model, std::string_view place, const std::filesystem::path& folder) {
  if (!model.has_graph() || model.graph().node().empty()) {
    misuse(place, "expected an ONNX model with a graph of at least one node, found none");
  }
  if (!model.functions().empty()) {
    misuse(place, "it has functions of its own ('{}'); export it without them", model.functions(0).name());
  }
  const onnx::GraphProto& from = model.graph();
  if (!from.sparse_initializer().empty()) {
    misuse(place, "sparse tensors cannot be imported");
  }
  OnnxGraph graph{.place = std::string(place),
                  .opset = opset_of(model, place),
                  .nodes = {},
                  .initialisers = {},
                  .inputs = {},
                  .outputs = {}};
  const TensorSource source{folder};
  for (const onnx::TensorProto& tensor : from.initializer()) {
    const std::string own = fmt::format("{}, tensor '{}'", place, tensor.name());
    if (tensor.name().empty() || !graph.initialisers.emplace(tensor.name(), tensor_of(tensor, own, source)).second) {
      misuse(own, "tensors must have names, and each a different one");
    }
  }
  for (const onnx::ValueInfoProto& input : from.input()) {
    if (!graph.initialisers.contains(input.name())) {
      graph.inputs.push_back(value_of(input, place));
    }
  }
  for (const onnx::ValueInfoProto& output : from.output()) {
    graph.outputs.push_back(value_of(output, place));
  }
  for (int i = 0; i < from.node_size(); ++i) {
    graph.nodes.push_back(node_of(from.node(i), i, place, source));
  }
  check_names(graph);
  return graph;
}

// One of the graph's outputs, or else what a node computes, whose extents the file need not give.
OnnxValue output_named(const OnnxGraph& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.outputs, name, &OnnxValue::name);
  if (found != graph.outputs.end()) {
    return *found;
  }
  const auto computes = [&](const OnnxNode& node) { return std::ranges::count(node.outputs, name) > 0; };
  if (name.empty() || std::ranges::none_of(graph.nodes, computes)) {
    std::vector<std::string> known;
    std::ranges::transform(graph.outputs, std::back_inserter(known), &OnnxValue::name);
    unknown_name(graph.place, "output", name, known);
  }
  return {.name = name, .shape = {}};
}

}  // namespace

OnnxGraph parse_onnx(std::string_view bytes, std::string_view place, const std::filesystem::path& folder) {
  onnx::ModelProto model;
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    misuse(place, "expected an ONNX model, found {} bytes that are none: damaged, cut short, or of another format",
           bytes.size());
  }
  return graph_of(model, place, folder);
}

OnnxGraph read_onnx(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  return parse_onnx(read_file(file), file.string(), folder);
}

OnnxGraph needed_for(const OnnxGraph& graph, const std::vector<std::string>& outputs) {
  OnnxGraph result = graph;
  result.outputs.clear();
  for (const std::string& name : outputs) {
    result.outputs.push_back(output_named(graph, name));
  }
  std::set<std::string> needed(outputs.begin(), outputs.end());
  result.nodes.clear();
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (std::ranges::any_of(node->outputs, [&](const std::string& name) { return needed.contains(name); })) {
      needed.insert(node->inputs.begin(), node->inputs.end());
      result.nodes.push_back(*node);
    }
  }
  std::ranges::reverse(result.nodes);
  std::erase_if(result.inputs, [&](const OnnxValue& input) { return !needed.contains(input.name); });
  std::erase_if(result.initialisers, [&](const auto& tensor) { return !needed.contains(tensor.first); });
  return result;
}

}  // namespace vaeguard::importers
