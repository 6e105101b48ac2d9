// Nodes that move values without changing them: reshapes, transpositions, slices, concatenations, padding.
#include <algorithm>
#include <numeric>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/importers/node_import.h"

namespace vaeguard::importers {
namespace {

using networks::Operation;

constexpr const char* kPlace = "importers.axis_nodes";

std::int64_t rank(const Value& value) { return static_cast<std::int64_t>(value.shape.size()) + 1; }

Value seen(Value value, Extents shape) {
  value.shape = std::move(shape);
  return value;
}

// ---- extents alone

Results shape(const NodeImport& node) {
  Extents whole = node.value().shape;
  whole.insert(whole.begin(), kBatch);
  const auto extent = static_cast<std::int64_t>(whole.size());
  const auto bounded = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + extent : at, 0, extent); };
  const std::int64_t first = bounded(node.integer("start", 0));
  const std::int64_t last = std::max(first, bounded(node.integer("end", extent)));
  return {Tensor::of({last - first}, Extents(whole.begin() + first, whole.begin() + last))};
}

// The first extent must be the batch's: its size, 0 (as before), or -1 where all others are known.
Results reshape(const NodeImport& node) {
  const Value& value = node.value();
  const Extents target = node.constant(1).integers();
  if (node.integer("allowzero", 0) != 0) {
    misuse(kPlace, "allowzero is not known here");
  }
  const bool batch = !target.empty() && (target[0] == kBatch || target[0] == 0 || target[0] == -1 ||
                                         (node.batch() > 0 && target[0] == node.batch()));
  if (!batch) {
    misuse(kPlace, "the first extent must be that of the batch, got {}", text(target));
  }
  Extents rest(target.begin() + 1, target.end());
  std::int64_t known = 1;
  std::int64_t open = target[0] == -1 ? 1 : 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == 0 && i < value.shape.size()) {
      rest[i] = value.shape[i];
    }
    open += rest[i] == -1 ? 1 : 0;
    known *= rest[i] == -1 ? 1 : std::clamp<std::int64_t>(rest[i], 0, 1 << 24);
    known = std::min<std::int64_t>(known, std::int64_t{1} << 32);
  }
  const std::int64_t size = count(value.shape);
  if (open <= 1 && target[0] != -1 && known > 0) {
    std::ranges::replace(rest, std::int64_t{-1}, size / known);
  }
  if (open > 1 || std::ranges::any_of(rest, [](std::int64_t extent) { return extent < 1; }) || count(rest) != size) {
    misuse(kPlace, "the {} values of an image cannot take the shape {}", size, text(target));
  }
  return {seen(value, rest)};
}

Results flatten(const NodeImport& node) {
  const Value& value = node.value();
  const std::int64_t axis = axis_from_front(node.integer("axis", 1), rank(value));
  if (axis != 1) {
    misuse(kPlace, "it must flatten all axes but the batch (axis 1), got axis {}", axis);
  }
  return {seen(value, {count(value.shape)})};
}

Results squeeze(const NodeImport& node) {
  const Value& value = node.value();
  const auto axes = node.integers_or_input("axes", 1);
  if (!axes) {
    misuse(kPlace, "it must name the axes, or a batch of one image would lose its own");
  }
  Extents shape = value.shape;
  for (const std::int64_t axis : *axes) {
    std::int64_t& extent = shape[node.axis_of(value, axis)];
    if (extent != 1) {
      misuse(kPlace, "only axes of extent 1 can be squeezed, axis {} has {}", axis, extent);
    }
    extent = 0;
  }
  std::erase(shape, 0);
  return {seen(value, shape)};
}

Results unsqueeze(const NodeImport& node) {
  const Value& value = node.value();
  Extents axes = node.integers_or_input("axes", 1).value_or(Extents{});
  for (std::int64_t& axis : axes) {
    axis = axis_from_front(axis, rank(value) + static_cast<std::int64_t>(axes.size()));
  }
  std::ranges::sort(axes);
  Extents shape = value.shape;
  for (const std::int64_t axis : axes) {
    if (axis == 0 || axis - 1 > static_cast<std::int64_t>(shape.size())) {
      misuse(kPlace, "the batch must stay the first axis, and each new one be named once; got {}", text(axes));
    }
    shape.insert(shape.begin() + (axis - 1), 1);
  }
  return {seen(value, shape)};
}

// ---- order

Results transpose(const NodeImport& node) {
  const Value& value = node.value();
  Extents axes(static_cast<std::size_t>(rank(value)));
  std::iota(axes.begin(), axes.end(), std::int64_t{0});
  Extents order = node.integers("perm").value_or(Extents(axes.rbegin(), axes.rend()));
  if (!std::ranges::is_permutation(order, axes) || order.front() != 0) {
    misuse(kPlace, "perm must name each of {} axes once, and leave the batch first; got {}", rank(value), text(order));
  }
  order.erase(order.begin());
  for (std::int64_t& axis : order) {
    --axis;
  }
  return {node.builder().permuted(value, order)};
}

// [C' b b, H, W] -> [C', H b, W b]; DCR has the squares outside of the channels.
Results depth_to_space(const NodeImport& node) {
  const Value& value = node.value();
  const std::int64_t side = node.integer("blocksize", 0);
  const std::string mode = node.word("mode", "DCR");
  if (value.shape.size() != 3 || side < 1 || side > 1024 || value.shape[0] % (side * side) != 0) {
    misuse(kPlace, "its input must have blocksize^2 times as many channels as its output, got {} and blocksize {}",
           text(value.shape), side);
  }
  const std::int64_t channels = value.shape[0] / (side * side);
  GraphBuilder& builder = node.builder();
  Value ordered = seen(value, {side * side, channels, value.shape[1] * value.shape[2]});
  if (mode == "DCR") {
    constexpr std::int64_t kSwap[]{1, 0, 2};
    ordered = builder.permuted(ordered, kSwap);
  } else if (mode != "CRD") {
    misuse(kPlace, "mode must be DCR or CRD, got '{}'", mode);
  }
  return {
      builder.layer(Operation::pixel_shuffle,
                    {.stride = static_cast<int>(side), .sources = {builder.viewed(ordered, image_shape(value.shape))}},
                    {channels, value.shape[1] * side, value.shape[2] * side})};
}

// ---- parts

// Attributes in old versions, inputs in new ones.
Results slice(const NodeImport& node) {
  Value value = node.value();
  const auto starts = node.integers_or_input("starts", 1);
  const auto ends = node.integers_or_input("ends", 2);
  Extents axes(starts ? starts->size() : 0);
  std::iota(axes.begin(), axes.end(), std::int64_t{0});
  axes = node.integers_or_input("axes", 3).value_or(axes);
  const Extents steps = node.has_input(4) ? node.constant(4).integers() : Extents(axes.size(), 1);
  if (!starts || !ends || ends->size() != starts->size() || axes.size() != starts->size() ||
      steps.size() != starts->size()) {
    misuse(kPlace, "starts, ends, axes and steps must be as many, got {}, {}, {} and {}", starts ? starts->size() : 0,
           ends ? ends->size() : 0, axes.size(), steps.size());
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axis_from_front(axes[i], rank(value)) == 0 && (*starts)[i] == 0 && (*ends)[i] >= (std::int64_t{1} << 31) - 1) {
      continue;  // all of the batch
    }
    const std::size_t axis = node.axis_of(value, axes[i]);
    const std::int64_t extent = value.shape[axis];
    const auto bounded = [&](std::int64_t at) {
      return std::clamp<std::int64_t>(at < 0 ? at + extent : at, 0, extent);
    };
    const std::int64_t first = bounded((*starts)[i]);
    const std::int64_t length = bounded((*ends)[i]) - first;
    if (steps[i] < 1 || length < 1) {
      misuse(kPlace, "a slice must go forward and leave something, got {} to {} of {} with step {}", (*starts)[i],
             (*ends)[i], extent, steps[i]);
    }
    const std::int64_t step = std::min(steps[i], length);
    value = node.builder().sliced(value, axis, first, (length + step - 1) / step, step);
  }
  return {value};
}

Results split(const NodeImport& node) {
  const Value& value = node.value();
  const std::size_t axis = node.axis_of(value, node.integer("axis", 0));
  const auto parts = static_cast<std::int64_t>(node.node().outputs.size());
  const std::int64_t extent = value.shape[axis];
  node.ignore({"num_outputs"});
  const std::int64_t each = (extent + parts - 1) / parts;
  Extents sizes(static_cast<std::size_t>(parts), each);
  sizes.back() = extent - each * (parts - 1);
  sizes = node.integers_or_input("split", 1).value_or(sizes);
  if (static_cast<std::int64_t>(sizes.size()) != parts || count({sizes.begin(), sizes.end()}) < 1 ||
      std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) != extent) {
    misuse(kPlace, "the parts of an axis of {} must be {} and cover it, got {}", extent, parts, text(sizes));
  }
  Results results;
  std::int64_t first = 0;
  Value whole = value;
  whole.shared = whole.shared || parts > 1;
  for (const std::int64_t size : sizes) {
    results.emplace_back(node.builder().sliced(whole, axis, first, size));
    first += size;
  }
  return results;
}

// A run of neighbouring indices, or a single one, whose axis goes.
Results gather(const NodeImport& node) {
  const Value& value = node.value();
  const Tensor& indices = node.constant(1);
  const std::size_t axis = node.axis_of(value, node.integer("axis", 0));
  Extents positions = indices.integers();
  const std::int64_t extent = value.shape[axis];
  for (std::size_t i = 0; i < positions.size(); ++i) {
    positions[i] += positions[i] < 0 ? extent : 0;
    if (positions[i] < 0 || positions[i] >= extent || positions[i] != positions[0] + static_cast<std::int64_t>(i)) {
      misuse(kPlace, "indices must be neighbours within an axis of {}, got {}", extent, text(indices.integers()));
    }
  }
  if (positions.empty() || indices.shape.size() > 1) {
    misuse(kPlace, "indices must be one number or a list, got the shape {}", text(indices.shape));
  }
  Value result = node.builder().sliced(value, axis, positions[0], static_cast<std::int64_t>(positions.size()));
  if (indices.shape.empty()) {
    result.shape.erase(result.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  }
  return {result};
}

// ---- concatenation

Results concatenation(const NodeImport& node) {
  GraphBuilder& builder = node.builder();
  const Value& first = node.value();
  const std::size_t axis = node.axis_of(first, node.integer("axis", 1));
  Extents to_front{static_cast<std::int64_t>(axis)};
  Extents back;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(first.shape.size()); ++i) {
    const auto here = static_cast<std::int64_t>(axis);
    if (i != here) {
      to_front.push_back(i);
    }
    back.push_back(i == here ? 0 : i < here ? i + 1 : i);
  }
  Extents shape;
  std::vector<std::int64_t> sources;
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    const Value& part = node.value(i);
    Extents expected = first.shape;
    expected[axis] = part.shape.size() == expected.size() ? part.shape[axis] : 0;
    if (part.shape != expected) {
      misuse(kPlace, "only equal extents can be joined along another axis, got {} and {}", text(first.shape),
             text(part.shape));
    }
    const Value front = builder.permuted(part, to_front);
    sources.push_back(builder.viewed(front, image_shape(front.shape)));
    shape = shape.empty() ? Extents{0} : shape;
    shape[0] += part.shape[axis];
  }
  for (std::size_t i = 1; i < to_front.size(); ++i) {
    shape.push_back(first.shape[static_cast<std::size_t>(to_front[i])]);
  }
  const Value joined = builder.layer(Operation::concatenation, {.sources = sources}, shape);
  return {builder.permuted(joined, back)};
}

// ---- padding

Results pad(const NodeImport& node) {
  const Value& value = node.value();
  const auto pads = node.integers_or_input("pads", 1);
  Extents axes(static_cast<std::size_t>(rank(value)));
  std::iota(axes.begin(), axes.end(), std::int64_t{0});
  axes = node.has_input(3) ? node.constant(3).integers() : axes;
  const double constant = node.has_input(2) ? node.scalar(2) : node.number("value", 0.0);
  if (node.word("mode", "constant") != "constant" || constant != 0.0) {
    misuse(kPlace, "it must pad with zeros, got mode '{}' and value {}", node.word("mode", "constant"), constant);
  }
  if (!pads || pads->size() != 2 * axes.size()) {
    misuse(kPlace, "pads must be two for each of {} axes, got {}", axes.size(), text(pads.value_or(Extents{})));
  }
  constexpr std::int64_t kWidest = 1 << 20;
  if (std::ranges::any_of(*pads, [](std::int64_t rows) { return rows < -kWidest || rows > kWidest; })) {
    misuse(kPlace, "pads must be from -2^20 to 2^20, got {}", text(*pads));
  }
  Extents before(value.shape.size(), 0);
  Extents after(value.shape.size(), 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t first = (*pads)[i];
    const std::int64_t last = (*pads)[axes.size() + i];
    if (first != 0 || last != 0) {
      const std::size_t axis = node.axis_of(value, axes[i]);
      before[axis] = first;
      after[axis] = last;
    }
  }
  return {node.builder().padded(value, before, after)};
}

constexpr NodeEntry kEntries[]{{"Shape", shape},
                               {"Reshape", reshape},
                               {"Flatten", flatten},
                               {"Squeeze", squeeze},
                               {"Unsqueeze", unsqueeze},
                               {"Transpose", transpose},
                               {"DepthToSpace", depth_to_space},
                               {"Slice", slice},
                               {"Split", split},
                               {"Gather", gather},
                               {"Concat", concatenation},
                               {"Pad", pad}};

}  // namespace

std::span<const NodeEntry> axis_nodes() { return kEntries; }

}  // namespace vaeguard::importers
