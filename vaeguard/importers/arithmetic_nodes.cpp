// Add, Sub, Mul, Div and Neg: of two values, or of a value and a constant, with ONNX's broadcasting.
#include <algorithm>
#include <numeric>

#include "vaeguard/base/error.h"
#include "vaeguard/importers/node_import.h"

namespace vaeguard::importers {
namespace {

using networks::Operation;

constexpr const char* kPlace = "importers.arithmetic_nodes";

std::vector<float> constants(const Value& value, float number) {
  return std::vector<float>(static_cast<std::size_t>(count(value.shape)), number);
}

Value negated(const NodeImport& node, const Value& value) {
  return node.builder().scaled(value, constants(value, -1.0F), constants(value, 0.0F));
}

// ---- a value and a constant

// One number for each of the value's; the constant may not make it larger, or tell images of a batch apart.
std::vector<float> spread(const Tensor& constant, const Value& value) {
  Tensor image = constant;
  while (image.shape.size() > value.shape.size() && image.shape.front() == 1) {
    image.shape.erase(image.shape.begin());
  }
  return broadcast(image, value.shape).reals();
}

Results with_constant(const NodeImport& node, Arithmetic arithmetic, const Value& value, const Tensor& constant,
                      bool constant_first) {
  std::vector<float> numbers = spread(constant, value);
  GraphBuilder& builder = node.builder();
  switch (arithmetic) {
    case Arithmetic::add:
      return {builder.scaled(value, constants(value, 1.0F), numbers)};
    case Arithmetic::multiply:
      return {builder.scaled(value, numbers, constants(value, 0.0F))};
    case Arithmetic::subtract:
      if (constant_first) {
        return {builder.scaled(value, constants(value, -1.0F), numbers)};
      }
      std::ranges::transform(numbers, numbers.begin(), std::negate{});
      return {builder.scaled(value, constants(value, 1.0F), numbers)};
    default:
      if (constant_first || std::ranges::find(numbers, 0.0F) != numbers.end()) {
        misuse(kPlace, "only constants other than 0 can be divided by: no layer divides by a value");
      }
      std::ranges::transform(numbers, numbers.begin(), [](float number) { return 1.0F / number; });
      return {builder.scaled(value, numbers, constants(value, 0.0F))};
  }
}

// ---- two values

// One that is repeated along all axes up to some one, or from some one on, as layers can do it.
Results broadcast_pair(const NodeImport& node, Operation operation, const Value& large, const Value& small) {
  GraphBuilder& builder = node.builder();
  const std::size_t rank = large.shape.size();
  std::size_t same = 0;  // leading axes in common
  while (same < rank && small.shape[same] == large.shape[same]) {
    ++same;
  }
  std::size_t ones = 0;  // leading axes along which it is repeated
  while (ones < rank && small.shape[ones] == 1) {
    ++ones;
  }
  const auto lead = [&](std::size_t axes) {
    return std::accumulate(large.shape.begin(), large.shape.begin() + static_cast<std::ptrdiff_t>(axes),
                           std::int64_t{1}, std::multiplies{});
  };
  if (count(small.shape) == lead(same)) {
    ImageShape shape = same < rank ? around_axis(large.shape, same) : ImageShape{lead(same), 1, 1};
    return {builder.layer(operation,
                          {.sources = {builder.viewed(large, shape), builder.viewed(small, {lead(same), 1, 1})}},
                          large.shape)};
  }
  if (count(small.shape) * lead(ones) != count(large.shape)) {
    misuse(kPlace, "one value is repeated along axes in between: {} to {}", text(small.shape), text(large.shape));
  }
  // To all channels by a convolution whose weights are 1.
  const ImageShape one{1, ones < rank ? large.shape[ones] : 1,
                       count(small.shape) / (ones < rank ? large.shape[ones] : 1)};
  const std::vector<float> weight(static_cast<std::size_t>(lead(ones)), 1.0F);
  const Value repeated =
      builder.weighted(Operation::convolution, {.channels = lead(ones), .sources = {builder.viewed(small, one)}},
                       weight, {}, large.shape);
  const ImageShape shape = builder.graph().boundary(repeated.boundary);
  return {builder.layer(operation, {.sources = {builder.viewed(large, shape), repeated.boundary}}, large.shape)};
}

Results of_values(const NodeImport& node, Operation operation, const Value& one, const Value& other) {
  if (one.shape.size() != other.shape.size()) {
    misuse(kPlace, "two values must have as many axes, got {} and {} after the batch", text(one.shape),
           text(other.shape));
  }
  GraphBuilder& builder = node.builder();
  if (one.shape == other.shape) {
    const ImageShape shape = builder.graph().boundary(one.boundary);
    return {builder.layer(operation, {.sources = {one.boundary, builder.viewed(other, shape)}}, one.shape)};
  }
  const Extents shape = common_shape(one.shape, other.shape);
  if (shape != one.shape && shape != other.shape) {
    misuse(kPlace, "each of two values is repeated: {} and {}", text(one.shape), text(other.shape));
  }
  return shape == one.shape ? broadcast_pair(node, operation, one, other) : broadcast_pair(node, operation, other, one);
}

template <Arithmetic Chosen>
Results arithmetic_of(const NodeImport& node) {
  if (node.is_constant(1)) {
    return with_constant(node, Chosen, node.value(0), node.constant(1), false);
  }
  if (node.is_constant(0)) {
    return with_constant(node, Chosen, node.value(1), node.constant(0), true);
  }
  switch (Chosen) {
    case Arithmetic::add:
      return of_values(node, Operation::addition, node.value(0), node.value(1));
    case Arithmetic::subtract:
      return of_values(node, Operation::addition, node.value(0), negated(node, node.value(1)));
    case Arithmetic::multiply:
      return of_values(node, Operation::product, node.value(0), node.value(1));
    default:
      misuse(kPlace, "only constants other than 0 can be divided by: no layer divides by a value");
  }
}

constexpr NodeEntry kEntries[]{
    {"Add", arithmetic_of<Arithmetic::add>},
    {"Sub", arithmetic_of<Arithmetic::subtract>},
    {"Mul", arithmetic_of<Arithmetic::multiply>},
    {"Div", arithmetic_of<Arithmetic::divide>},
    {"Neg", [](const NodeImport& node) -> Results { return {negated(node, node.value())}; }},
};

}  // namespace

std::span<const NodeEntry> arithmetic_nodes() { return kEntries; }

}  // namespace vaeguard::importers
