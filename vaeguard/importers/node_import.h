// One node while it becomes layers: its inputs and attributes with their errors, for the sources of this folder only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vaeguard/importers/graph_builder.h"
#include "vaeguard/importers/onnx_graph.h"

namespace vaeguard::importers {

/// A name in a graph stands for a constant or for something that depends on the network's input.
using Known = std::variant<Value, Tensor>;

/// What nodes need to know of the graph around them.
struct Surroundings {
  GraphBuilder& builder;
  std::int64_t opset;
  std::int64_t batch;  // of the file, where it fixes one; else 0
};

class NodeImport {
 public:
  NodeImport(const OnnxNode& node, std::vector<std::optional<Known>> inputs, const Surroundings& surroundings)
      : node_(node), inputs_(std::move(inputs)), surroundings_(surroundings) {}

  [[nodiscard]] const OnnxNode& node() const { return node_; }
  [[nodiscard]] GraphBuilder& builder() const { return surroundings_.builder; }
  [[nodiscard]] std::int64_t opset() const { return surroundings_.opset; }
  [[nodiscard]] std::int64_t batch() const { return surroundings_.batch; }

  // ---- inputs; those that are asked for must be there
  [[nodiscard]] std::size_t inputs() const { return inputs_.size(); }
  [[nodiscard]] bool has_input(std::size_t index) const { return index < inputs_.size() && inputs_[index].has_value(); }
  [[nodiscard]] const Known& input(std::size_t index) const;
  [[nodiscard]] bool is_constant(std::size_t index) const { return std::holds_alternative<Tensor>(input(index)); }
  [[nodiscard]] bool all_constant() const;
  [[nodiscard]] const Value& value(std::size_t index = 0) const;
  [[nodiscard]] const Tensor& constant(std::size_t index) const;
  /// A constant of one number.
  [[nodiscard]] float scalar(std::size_t index) const;

  // ---- attributes
  [[nodiscard]] std::int64_t integer(const std::string& name, std::int64_t fallback) const;
  [[nodiscard]] double number(const std::string& name, double fallback) const;
  [[nodiscard]] std::string word(const std::string& name, const std::string& fallback) const;
  [[nodiscard]] std::optional<Extents> integers(const std::string& name) const;
  [[nodiscard]] const OnnxAttribute* attribute(const std::string& name) const;
  /// Integers that were an attribute in older versions of an operation and are an input in newer ones.
  [[nodiscard]] std::optional<Extents> integers_or_input(const std::string& name, std::size_t index) const;
  /// Attributes that change nothing here.
  void ignore(std::initializer_list<const char*> names) const { ignored_.insert(names.begin(), names.end()); }
  /// An attribute that nobody read would change the network in silence.
  void refuse_unread() const;

  /// An axis of ONNX, where the batch is axis 0, as one of the value's; throws Misuse if it is the batch.
  [[nodiscard]] std::size_t axis_of(const Value& value, std::int64_t axis) const;

 private:
  template <typename Type>
  [[nodiscard]] const Type* typed(const std::string& name, std::string_view what) const;

  const OnnxNode& node_;
  std::vector<std::optional<Known>> inputs_;
  Surroundings surroundings_;
  mutable std::set<std::string> ignored_;
};

using Results = std::vector<Known>;  // one for each output; those that nobody reads may be left out

/// An operation of ONNX and how it becomes layers.
struct NodeEntry {
  std::string_view operation;
  Results (*results)(const NodeImport& node);
};

std::span<const NodeEntry> convolution_nodes();
std::span<const NodeEntry> activation_nodes();
std::span<const NodeEntry> arithmetic_nodes();
std::span<const NodeEntry> axis_nodes();
std::span<const NodeEntry> pooling_nodes();

/// What becomes of a node all of whose inputs are constants; nothing if it is not computed here.
std::optional<Results> folded(const NodeImport& node);

}  // namespace vaeguard::importers
