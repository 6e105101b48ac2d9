// Nodes on constants alone: what exporters leave of shapes, and weights that are rearranged.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "vaeguard/base/error.h"
#include "vaeguard/importers/node_import.h"

namespace vaeguard::importers {
namespace {

constexpr const char* kPlace = "importers.constant_nodes";

std::int64_t rank(const Tensor& tensor) { return static_cast<std::int64_t>(tensor.shape.size()); }

Results constant(const NodeImport& node) {
  const auto* found = node.attribute("value");
  if (found != nullptr && std::holds_alternative<Tensor>(*found)) {
    return {std::get<Tensor>(*found)};
  }
  if (const auto* integer = node.attribute("value_int"); integer != nullptr) {
    return {Tensor::of({}, Extents{node.integer("value_int", 0)})};
  }
  if (const auto* number = node.attribute("value_float"); number != nullptr) {
    return {Tensor::of({}, std::vector<float>{static_cast<float>(node.number("value_float", 0.0))})};
  }
  if (const auto list = node.integers("value_ints"); list) {
    return {Tensor::of({static_cast<std::int64_t>(list->size())}, *list)};
  }
  if (const auto* list = node.attribute("value_floats"); list != nullptr) {
    if (const auto* numbers = std::get_if<std::vector<float>>(list); numbers != nullptr) {
      return {Tensor::of({static_cast<std::int64_t>(numbers->size())}, *numbers)};
    }
  }
  misuse(kPlace, "its value must be a tensor or numbers");
}

Results constant_of_shape(const NodeImport& node) {
  const Extents& shape = node.constant(0).integers();
  const auto* found = node.attribute("value");
  const Tensor value = found != nullptr && std::holds_alternative<Tensor>(*found)
                           ? std::get<Tensor>(*found)
                           : Tensor::of({1}, std::vector<float>{0.0F});
  if (value.size() != 1 || count(shape) > (1 << 24)) {
    misuse(kPlace, "it must repeat one value at most 2^24 times, got {} values for {}", value.size(), text(shape));
  }
  return {broadcast({{}, value.values}, shape)};
}

Results identity(const NodeImport& node) { return {node.constant(0)}; }

Results cast(const NodeImport& node) {
  constexpr std::int64_t kFloat = 1;
  constexpr std::int64_t kInteger = 6;
  constexpr std::int64_t kLong = 7;
  constexpr std::int64_t kDouble = 11;
  node.ignore({"saturate"});
  const std::int64_t to = node.integer("to", 0);
  const Tensor& from = node.constant(0);
  if (to == kFloat || to == kDouble) {
    return {Tensor::of(from.shape, from.reals())};
  }
  if (to != kInteger && to != kLong) {
    misuse(kPlace, "a constant can become real numbers or integers, asked for type {}", to);
  }
  if (from.integral()) {
    return {from};
  }
  Extents integers;
  for (const float value : from.reals()) {
    if (!(std::abs(value) < 1e9F)) {
      misuse(kPlace, "a number must be less than 1e9 to become an integer, got {}", value);
    }
    integers.push_back(static_cast<std::int64_t>(value));
  }
  return {Tensor::of(from.shape, std::move(integers))};
}

Results floor(const NodeImport& node) {
  std::vector<float> values = node.constant(0).reals();
  std::ranges::transform(values, values.begin(), [](float value) { return std::floor(value); });
  return {Tensor::of(node.constant(0).shape, std::move(values))};
}

Results gather(const NodeImport& node) {
  const Tensor& from = node.constant(0);
  const Tensor& indices = node.constant(1);
  const std::int64_t axis = axis_from_front(node.integer("axis", 0), rank(from));
  Tensor result = taken(from, axis, indices.integers());
  const auto at = result.shape.begin() + axis;
  result.shape.insert(result.shape.erase(at), indices.shape.begin(), indices.shape.end());
  return {result};
}

Results concat(const NodeImport& node) {
  std::vector<Tensor> parts;
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    parts.push_back(node.constant(i));
  }
  return {concatenated(parts, axis_from_front(node.integer("axis", 0), rank(node.constant(0))))};
}

Results unsqueeze(const NodeImport& node) {
  Tensor result = node.constant(0);
  Extents axes = node.integers_or_input("axes", 1).value_or(Extents{});
  for (std::int64_t& axis : axes) {
    axis = axis_from_front(axis, rank(result) + static_cast<std::int64_t>(axes.size()));
  }
  std::ranges::sort(axes);
  for (const std::int64_t axis : axes) {
    result.shape.insert(result.shape.begin() + std::min(axis, rank(result)), 1);
  }
  return {result};
}

Results squeeze(const NodeImport& node) {
  const Tensor& from = node.constant(0);
  const auto axes = node.integers_or_input("axes", 1);
  Tensor result{{}, from.values};
  for (std::int64_t axis = 0; axis < rank(from); ++axis) {
    const bool named = axes && std::ranges::any_of(*axes, [&](std::int64_t wanted) {
                         return axis_from_front(wanted, rank(from)) == axis;
                       });
    const std::int64_t extent = from.shape[static_cast<std::size_t>(axis)];
    if (named && extent != 1) {
      misuse(kPlace, "only axes of extent 1 can be squeezed, axis {} has {}", axis, extent);
    }
    if (!named && (axes || extent != 1)) {
      result.shape.push_back(extent);
    }
  }
  return {result};
}

// What a slice takes of an axis of `extent`, backwards where the step is negative.
Extents sliced_positions(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t extent) {
  Extents positions;
  if (extent == 0) {
    return positions;
  }
  const auto bounded = [&](std::int64_t at, std::int64_t least, std::int64_t most) {
    return std::clamp(at < 0 ? at + extent : at, least, most);
  };
  step = std::clamp(step, -extent, extent);
  if (step > 0) {
    const std::int64_t last = bounded(end, 0, extent);
    for (std::int64_t at = bounded(start, 0, extent); at < last; at += step) {
      positions.push_back(at);
    }
  } else {
    const std::int64_t last = bounded(end, -1, extent - 1);
    for (std::int64_t at = bounded(start, 0, extent - 1); at > last; at += step) {
      positions.push_back(at);
    }
  }
  return positions;
}

// Attributes in old versions, inputs in new ones.
Results slice(const NodeImport& node) {
  Tensor result = node.constant(0);
  const Extents starts = node.integers_or_input("starts", 1).value_or(Extents{});
  const Extents ends = node.integers_or_input("ends", 2).value_or(Extents{});
  Extents axes(starts.size());
  std::iota(axes.begin(), axes.end(), std::int64_t{0});
  axes = node.integers_or_input("axes", 3).value_or(axes);
  const Extents steps = node.has_input(4) ? node.constant(4).integers() : Extents(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    misuse(kPlace, "starts, ends, axes and steps must be as many, got {}, {}, {} and {}", starts.size(), ends.size(),
           axes.size(), steps.size());
  }
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::int64_t axis = axis_from_front(axes[i], rank(result));
    if (steps[i] == 0) {
      misuse(kPlace, "steps must not be 0");
    }
    const std::int64_t extent = result.shape[static_cast<std::size_t>(axis)];
    result = taken(result, axis, sliced_positions(starts[i], ends[i], steps[i], extent));
  }
  return {result};
}

Results reshape(const NodeImport& node) {
  const Tensor& from = node.constant(0);
  Extents shape = node.constant(1).integers();
  node.ignore({"allowzero"});
  std::int64_t known = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    shape[i] = shape[i] == 0 && i < from.shape.size() ? from.shape[i] : shape[i];
    known *= shape[i] == -1 ? 1 : std::clamp<std::int64_t>(shape[i], 0, 1 << 28);
    known = std::min<std::int64_t>(known, std::int64_t{1} << 32);  // more than any constant has
  }
  std::ranges::replace(shape, std::int64_t{-1}, known == 0 ? 0 : from.size() / known);
  if (count(shape) != from.size()) {
    misuse(kPlace, "{} values cannot take the shape {}", from.size(), text(shape));
  }
  return {Tensor{shape, from.values}};
}

Results transpose(const NodeImport& node) {
  const Tensor& from = node.constant(0);
  Extents reversed(from.shape.size());
  std::iota(reversed.rbegin(), reversed.rend(), std::int64_t{0});
  const Extents order = node.integers("perm").value_or(reversed);
  Extents sorted = order;
  std::ranges::sort(sorted);
  std::ranges::reverse(reversed);
  if (sorted != reversed) {
    misuse(kPlace, "perm must name each axis once, got {}", text(order));
  }
  return {transposed(from, order)};
}

template <Arithmetic Chosen>
Results calculate(const NodeImport& node) {
  return {combined(node.constant(0), node.constant(1), Chosen)};
}

constexpr NodeEntry kFoldings[]{
    {"Constant", constant},
    {"ConstantOfShape", constant_of_shape},
    {"Identity", identity},
    {"Cast", cast},
    {"Floor", floor},
    {"Gather", gather},
    {"Concat", concat},
    {"Unsqueeze", unsqueeze},
    {"Squeeze", squeeze},
    {"Slice", slice},
    {"Reshape", reshape},
    {"Transpose", transpose},
    {"Add", calculate<Arithmetic::add>},
    {"Sub", calculate<Arithmetic::subtract>},
    {"Mul", calculate<Arithmetic::multiply>},
    {"Div", calculate<Arithmetic::divide>},
    {"Shape",
     [](const NodeImport& node) -> Results {
       const Extents& shape = node.constant(0).shape;
       return {Tensor::of({static_cast<std::int64_t>(shape.size())}, shape)};
     }},
};

}  // namespace

std::optional<Results> folded(const NodeImport& node) {
  const auto* found = std::ranges::find(kFoldings, node.node().operation, &NodeEntry::operation);
  if (found == std::end(kFoldings) || !node.all_constant()) {
    return std::nullopt;
  }
  return found->results(node);
}

}  // namespace vaeguard::importers
