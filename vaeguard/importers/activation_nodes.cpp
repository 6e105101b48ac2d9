// Nodes that are functions of one value, and softmax.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "vaeguard/base/error.h"
#include "vaeguard/importers/node_import.h"

namespace vaeguard::importers {
namespace {

using networks::Activation;

constexpr const char* kPlace = "importers.activation_nodes";

template <Activation Chosen>
Results plain(const NodeImport& node) {
  return {node.builder().activated(node.value(), {.activation = Chosen})};
}

Results sloped(const NodeImport& node, Activation activation, double usual) {
  const double slope = node.number("alpha", usual);
  if (!std::isfinite(slope) || slope < 0.0) {
    misuse(kPlace, "alpha must be finite and at least 0, got {}", slope);
  }
  return {node.builder().activated(node.value(), {.activation = activation, .slope = slope})};
}

Results leaky_relu(const NodeImport& node) { return sloped(node, Activation::leaky_relu, 0.01); }
Results elu(const NodeImport& node) { return sloped(node, Activation::elu, 1.0); }

// An attribute in old versions, an input in new ones, and without limit where there is neither.
Results clip(const NodeImport& node) {
  constexpr double kFar = std::numeric_limits<float>::max();
  const auto bound = [&](const char* name, std::size_t index, double fallback) {
    const double written = node.has_input(index) ? node.scalar(index) : node.number(name, fallback);
    return std::clamp(written, -kFar, kFar);  // infinity is no limit either
  };
  const double low = bound("min", 1, -kFar);
  const double high = bound("max", 2, kFar);
  if (!(low <= high)) {
    misuse(kPlace, "min must not be above max, got {} and {}", low, high);
  }
  return {node.builder().activated(node.value(), {.activation = Activation::clamp, .low = low, .high = high})};
}

// clamp(alpha x + beta, 0, 1)
Value hard_sigmoid_of(const NodeImport& node, double alpha, double beta) {
  Value value = node.value();
  value.shared = true;  // what a product reads besides must stay
  const auto size = static_cast<std::size_t>(count(value.shape));
  const Value line = node.builder().scaled(value, std::vector<float>(size, static_cast<float>(alpha)),
                                           std::vector<float>(size, static_cast<float>(beta)));
  return node.builder().activated(line, {.activation = Activation::clamp, .low = 0.0, .high = 1.0});
}

Results hard_sigmoid(const NodeImport& node) {
  return {hard_sigmoid_of(node, node.number("alpha", 0.2), node.number("beta", 0.5))};
}

// x clamp(x / 6 + 1 / 2, 0, 1)
Results hard_swish(const NodeImport& node) {
  const Value gate = hard_sigmoid_of(node, 1.0 / 6.0, 0.5);
  GraphBuilder& builder = node.builder();
  const ImageShape shape = builder.graph().boundary(gate.boundary);
  return {builder.layer(networks::Operation::product, {.sources = {builder.viewed(node.value(), shape), gate.boundary}},
                        gate.shape)};
}

// Before version 13 over all axes from one on, since then over that axis alone.
Results softmax(const NodeImport& node) {
  const Value& value = node.value();
  const bool one = node.opset() >= 13;
  const std::size_t axis = node.axis_of(value, node.integer("axis", one ? -1 : 1));
  const std::size_t end = one ? axis + 1 : value.shape.size();
  Extents order;
  for (std::size_t i = axis; i < end; ++i) {
    order.push_back(static_cast<std::int64_t>(i));
  }
  const auto moved = static_cast<std::ptrdiff_t>(order.size());
  for (std::size_t i = 0; i < value.shape.size(); ++i) {
    if (i < axis || i >= end) {
      order.push_back(static_cast<std::int64_t>(i));
    }
  }
  GraphBuilder& builder = node.builder();
  const Value front = builder.permuted(value, order);
  const auto product = [](auto first, auto last) {
    return std::accumulate(first, last, std::int64_t{1}, std::multiplies{});
  };
  const ImageShape shape{product(front.shape.begin(), front.shape.begin() + moved),
                         product(front.shape.begin() + moved, front.shape.end()), 1};
  const Value result =
      builder.layer(networks::Operation::softmax, {.sources = {builder.viewed(front, shape)}}, front.shape);
  Extents back(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    back[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  }
  return {builder.permuted(result, back)};
}

// In inference, and of real numbers, these change nothing.
Results unchanged(const NodeImport& node) { return {node.value()}; }

Results dropout(const NodeImport& node) {
  node.ignore({"ratio", "seed", "is_test"});
  if (node.has_input(2) && node.scalar(2) != 0.0F) {
    misuse(kPlace, "it must be exported for inference (model.eval()), it is in training mode");
  }
  return {node.value()};
}

Results cast(const NodeImport& node) {
  node.ignore({"saturate"});
  const std::int64_t to = node.integer("to", 0);
  if (to != 1 && to != 11) {
    misuse(kPlace, "values that depend on the input stay real numbers of 32 or 64 bits, asked for type {}", to);
  }
  return {node.value()};
}

constexpr NodeEntry kEntries[]{{"Relu", plain<Activation::relu>},
                               {"LeakyRelu", leaky_relu},
                               {"Elu", elu},
                               {"Sigmoid", plain<Activation::sigmoid>},
                               {"Tanh", plain<Activation::tanh>},
                               {"Softplus", plain<Activation::softplus>},
                               {"Exp", plain<Activation::exp>},
                               {"Silu", plain<Activation::silu>},
                               {"Clip", clip},
                               {"HardSigmoid", hard_sigmoid},
                               {"HardSwish", hard_swish},
                               {"Softmax", softmax},
                               {"Identity", unchanged},
                               {"Dropout", dropout},
                               {"Cast", cast}};

}  // namespace

std::span<const NodeEntry> activation_nodes() { return kEntries; }

}  // namespace vaeguard::importers
