// Walks the nodes in order, folding what is constant and building layers for the rest.
#include "vaeguard/importers/onnx_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/importers/node_import.h"
#include "vaeguard/importers/patterns.h"
#include "vaeguard/importers/place.h"

namespace vaeguard::importers {
namespace {

const std::map<std::string_view, const NodeEntry*>& node_entries() {
  static const auto entries = [] {
    std::map<std::string_view, const NodeEntry*> result;
    for (const auto nodes :
         {convolution_nodes(), activation_nodes(), arithmetic_nodes(), axis_nodes(), pooling_nodes()}) {
      for (const NodeEntry& entry : nodes) {
        result.emplace(entry.operation, &entry);
      }
    }
    return result;
  }();
  return entries;
}

struct Refusal {
  std::string_view operation;
  std::string_view reason;
};

constexpr std::string_view kStatistics = "it divides by statistics of the image itself, which no layer does yet";
constexpr std::string_view kRandom =
    "it draws random numbers: export the mean and the log-variance, not a draw of the latent code";
constexpr Refusal kRefusals[]{
    {"InstanceNormalization", kStatistics},
    {"GroupNormalization", kStatistics},
    {"LayerNormalization", kStatistics},
    {"RandomNormal", kRandom},
    {"RandomNormalLike", kRandom},
    {"RandomUniformLike", kRandom},
    {"Erf", "no layer computes it; of the smooth activations there are SiLU, ELU and Softplus"},
    {"Loop", "loops cannot be imported"},
    {"If", "branches cannot be imported"}};

[[noreturn]] void refuse(const OnnxNode& node) {
  const auto* found = std::ranges::find(kRefusals, node.operation, &Refusal::operation);
  misuse("importers.onnx_import", "it cannot be imported: {}",
         found == std::end(kRefusals) ? "no layer computes this operation" : found->reason);
}

class Walk {
 public:
  Walk(const OnnxGraph& graph, ImageShape image, std::int64_t batch, Extents shape, const InputOptions& input)
      : graph_(graph), uses_(uses(graph)), builder_(image), surroundings_{builder_, graph.opset, batch} {
    for (const auto& [name, tensor] : graph.initialisers) {
      known_.emplace(name, tensor);
    }
    const auto size = static_cast<std::size_t>(image.size());
    keep(graph.inputs.front().name, builder_.scaled({.boundary = 0, .shape = std::move(shape), .shared = false},
                                                    std::vector<float>(size, static_cast<float>(input.scale)),
                                                    std::vector<float>(size, static_cast<float>(input.shift))));
  }

  ImportedNetwork finish() {
    for (const OnnxNode& node : graph_.nodes) {
      said_of(fmt::format("{}, node '{}' ({})", graph_.place, node.name, node.operation), [&] { import(node); });
    }
    std::erase_if(operations_, [](const auto& operation) { return operation.second == 0; });
    std::vector<std::int64_t> outputs;
    for (const OnnxValue& output : graph_.outputs) {
      const Value* value = std::get_if<Value>(&known_.at(output.name));
      if (value == nullptr) {
        misuse(graph_.place, "the output '{}' must depend on the input, it is a constant", output.name);
      }
      outputs.push_back(builder_.viewed(*value, image_shape(value->shape)));
    }
    ImportedNetwork result{.graph = builder_.graph(), .operations = std::move(operations_)};
    if (result.graph.layers.empty()) {  // a network has a layer
      result.graph.add(networks::Operation::reshape, {.shape = result.graph.input()});
      outputs.assign(outputs.size(), result.graph.last());
    }
    result.graph.outputs = outputs == std::vector{result.graph.last()} ? std::vector<std::int64_t>{} : outputs;
    return result;
  }

 private:
  void import(const OnnxNode& node) {
    std::vector<std::optional<Known>> inputs;
    for (const std::string& name : node.inputs) {
      inputs.push_back(name.empty() ? std::nullopt : std::optional(known_.at(name)));
    }
    const NodeImport import(node, std::move(inputs), surroundings_);
    std::optional<Results> results = folded(import);
    if (!results) {
      const auto entry = node_entries().find(node.operation);
      if (entry == node_entries().end()) {
        refuse(node);
      }
      results = entry->second->results(import);
      const bool layers = std::ranges::any_of(*results, [](const Known& known) { return known.index() == 0; });
      operations_[node.operation] += layers ? 1 : 0;
    }
    import.refuse_unread();
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (i < results->size()) {
        keep(node.outputs[i], std::move((*results)[i]));
      } else if (uses_.contains(node.outputs[i])) {
        misuse("importers.onnx_import", "its output '{}' cannot be imported", node.outputs[i]);
      }
    }
  }

  void keep(const std::string& name, Known known) {
    if (auto* value = std::get_if<Value>(&known); value != nullptr) {
      const auto found = uses_.find(name);
      value->shared = value->shared || (found != uses_.end() && found->second > 1);
    }
    known_.insert_or_assign(name, std::move(known));
  }

  const OnnxGraph& graph_;
  std::map<std::string, std::int64_t> uses_;
  GraphBuilder builder_;
  Surroundings surroundings_;
  std::map<std::string, Known> known_;
  std::map<std::string, std::int64_t> operations_;
};

// The one input's extents without the batch.
Extents input_shape(const OnnxGraph& graph) {
  if (graph.inputs.size() != 1 || graph.outputs.empty()) {
    misuse(graph.place, "expected one input and at least one output, found {} and {}", graph.inputs.size(),
           graph.outputs.size());
  }
  const OnnxValue& input = graph.inputs.front();
  Extents shape = input.shape;
  if (shape.size() < 2 || std::ranges::find(shape.begin() + 1, shape.end(), 0) != shape.end()) {
    misuse(
        graph.place,
        "the input '{}' must have a batch and further axes of known extents, found {} (0: open); export it with only "
        "the batch left open",
        input.name, text(shape));
  }
  shape.erase(shape.begin());
  said_of(graph.place, [&] { return count(shape); });
  return shape;
}

}  // namespace

ImportedNetwork import_network(const OnnxGraph& graph, const InputOptions& input) {
  const Extents shape = input_shape(graph);
  const ImageShape image = input.shape.value_or(image_shape(shape));
  if (image.size() != count(shape)) {
    misuse(graph.place, "the input has {} values, an image of {} x {} x {} has {}", count(shape), image.channels,
           image.height, image.width, image.size());
  }
  const OnnxGraph merged = with_silu(graph);
  const std::int64_t batch = graph.inputs.front().shape.front();
  return said_of(graph.place, [&] { return Walk(merged, image, batch, shape, input).finish(); });
}

std::vector<std::string> importable_operations() {
  std::vector<std::string> result;
  for (const auto& [operation, entry] : node_entries()) {
    result.emplace_back(operation);
  }
  std::erase(result, "Silu");  // x * Sigmoid(x) is ONNX's name for it
  result.emplace_back("Constant");
  std::ranges::sort(result);
  return result;
}

}  // namespace vaeguard::importers
