// How few layers do what is asked of a value.
#include "vaeguard/importers/graph_builder.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::importers {
namespace {

using networks::Activation;
using networks::Layer;
using networks::LayerOptions;
using networks::Operation;

std::int64_t product(const Extents& shape, std::size_t first, std::size_t last) {
  return std::accumulate(shape.begin() + static_cast<std::ptrdiff_t>(first),
                         shape.begin() + static_cast<std::ptrdiff_t>(last), std::int64_t{1}, std::multiplies{});
}

// One number per channel, if all positions of a channel have the same.
std::optional<std::vector<float>> per_channel(std::span<const float> values, const ImageShape& shape) {
  std::vector<float> result;
  const auto positions = static_cast<std::size_t>(shape.positions());
  for (std::size_t c = 0; c < static_cast<std::size_t>(shape.channels); ++c) {
    const auto channel = values.subspan(c * positions, positions);
    if (std::ranges::any_of(channel, [&](float value) { return value != channel.front(); })) {
      return std::nullopt;
    }
    result.push_back(channel.front());
  }
  return result;
}

// Checkpoints hold no larger ones.
void check_size(const ImageShape& shape) {
  constexpr std::int64_t kMost = 1 << 24;
  const bool large = std::max({shape.channels, shape.height, shape.width}) > kMost;
  if (large || shape.channels * shape.height > kMost || shape.size() > kMost) {
    misuse("importers.graph_builder", "values may be at most 2^24 numbers for an image, got {} x {} x {}",
           shape.channels, shape.height, shape.width);
  }
}

int small(std::int64_t value) {
  if (value < -(1 << 20) || value > (1 << 20)) {
    misuse("importers.graph_builder", "margins must be less than 2^20 wide, got {}", value);
  }
  return static_cast<int>(value);
}

// Axes that stay together count as one, and those of extent 1 as none: the extents of the rest in the order of the
// input, and which of them each output axis is.
struct Blocks {
  std::vector<std::int64_t> extents;
  std::vector<std::size_t> order;
};

Blocks blocks_of(const Extents& shape, std::span<const std::int64_t> order) {
  std::vector<std::size_t> moved;  // the axes that matter, in the order of the output
  for (const std::int64_t axis : order) {
    if (shape[static_cast<std::size_t>(axis)] != 1) {
      moved.push_back(static_cast<std::size_t>(axis));
    }
  }
  const auto follows = [&](std::size_t one, std::size_t other) {
    return one < other && product(shape, one + 1, other) == 1;
  };
  std::vector<std::pair<std::size_t, std::int64_t>> found;  // first axis and extent, in the order of the output
  for (std::size_t i = 0; i < moved.size(); ++i) {
    if (i > 0 && follows(moved[i - 1], moved[i])) {
      found.back().second *= shape[moved[i]];
    } else {
      found.emplace_back(moved[i], shape[moved[i]]);
    }
  }
  std::vector<std::size_t> by_input(found.size());
  std::iota(by_input.begin(), by_input.end(), std::size_t{0});
  std::ranges::sort(by_input, {}, [&](std::size_t i) { return found[i].first; });
  Blocks result{.extents = {}, .order = std::vector<std::size_t>(found.size())};
  for (std::size_t i = 0; i < by_input.size(); ++i) {
    result.extents.push_back(found[by_input[i]].second);
    result.order[by_input[i]] = i;
  }
  return result;
}

}  // namespace

ImageShape image_shape(const Extents& shape) {
  const std::size_t rank = shape.size();
  return {rank > 0 ? shape[0] : 1, rank > 1 ? shape[1] : 1, rank > 2 ? product(shape, 2, rank) : 1};
}

ImageShape around_axis(const Extents& shape, std::size_t axis) {
  return {product(shape, 0, axis), shape[axis], product(shape, axis + 1, shape.size())};
}

GraphBuilder::GraphBuilder(ImageShape input) {
  check_size(input);
  graph_.inputs = {input};
}

std::int64_t GraphBuilder::viewed(const Value& value, const ImageShape& shape) {
  if (graph_.boundary(value.boundary) == shape) {
    return value.boundary;
  }
  const auto [view, is_new] = views_.try_emplace({value.boundary, shape.channels, shape.height}, 0);
  if (is_new) {
    graph_.add(Operation::reshape, {.sources = {value.boundary}, .shape = shape});
    view->second = graph_.last();
  }
  return view->second;
}

Value GraphBuilder::layer(Operation operation, LayerOptions options, Extents shape) {
  graph_.add(operation, options);
  check_size(graph_.layers.back().output);
  return {.boundary = graph_.last(), .shape = std::move(shape), .shared = false};
}

Value GraphBuilder::weighted(Operation operation, const LayerOptions& options, std::span<const float> weight,
                             std::span<const float> bias, Extents shape) {
  const Value result = layer(operation, options, std::move(shape));
  const Layer& added = graph_.layers.back();
  if (static_cast<std::int64_t>(weight.size()) != added.weight_count() ||
      (!bias.empty() && static_cast<std::int64_t>(bias.size()) != added.bias_count())) {
    misuse("importers.graph_builder", "expected {} weights and {} biases, found {} and {}", added.weight_count(),
           added.bias_count(), weight.size(), bias.size());
  }
  std::ranges::copy(weight, graph_.weight(added).begin());
  std::ranges::copy(bias, graph_.bias(added).begin());
  return result;
}

Layer* GraphBuilder::open_layer(const Value& value) {
  const auto inputs = static_cast<std::int64_t>(graph_.inputs.size());
  const bool read = std::ranges::any_of(graph_.layers, [&](const Layer& layer) {
    return std::ranges::find(layer.sources, value.boundary) != layer.sources.end();
  });
  if (value.shared || read || value.boundary < inputs) {
    return nullptr;
  }
  Layer& layer = graph_.layers[static_cast<std::size_t>(value.boundary - inputs)];
  return layer.activation == Activation::none ? &layer : nullptr;
}

Value GraphBuilder::scaled(const Value& value, std::span<const float> scale, std::span<const float> shift) {
  const auto is = [](float wanted) { return [wanted](float number) { return number == wanted; }; };
  if (std::ranges::all_of(scale, is(1.0F)) && std::ranges::all_of(shift, is(0.0F))) {
    return value;
  }
  const auto in = [&](const ImageShape& shape) {
    return std::pair(per_channel(scale, shape), per_channel(shift, shape));
  };
  const ImageShape own = graph_.boundary(value.boundary);
  const auto [scales, shifts] = in(own);
  const Layer* open = open_layer(value);
  if (open != nullptr && open->weighted() && scales && shifts) {
    const std::vector<float> zeros(scales->size(), 0.0F);
    const std::vector<float> ones(scales->size(), 1.0F);
    networks::fold_batch_normalisation(
        graph_, value.boundary - static_cast<std::int64_t>(graph_.inputs.size()),
        {.scale = *scales, .shift = *shifts, .mean = zeros, .variance = ones, .epsilon = 0.0});
    return value;
  }
  for (const ImageShape& shape : {own, image_shape(value.shape), ImageShape{own.size(), 1, 1}}) {
    if (const auto [factors, terms] = in(shape); factors && terms) {
      networks::add_scale_and_shift(graph_, *factors, *terms, {.sources = {viewed(value, shape)}});
      break;
    }
  }
  return {.boundary = graph_.last(), .shape = value.shape, .shared = false};
}

Value GraphBuilder::activated(const Value& value, const LayerOptions& options) {
  if (Layer* open = open_layer(value); open != nullptr) {
    open->activation = options.activation;
    open->slope = options.slope;
    open->low = options.low;
    open->high = options.high;
    return value;
  }
  LayerOptions copy = options;
  copy.sources = {value.boundary};
  copy.shape = image_shape(value.shape);
  return layer(Operation::reshape, copy, value.shape);
}

Value GraphBuilder::transposed(const Value& value, const ImageShape& shape, std::array<int, 3> axes) {
  return layer(Operation::transposition, {.sources = {viewed(value, shape)}, .axes = axes}, value.shape);
}

Value GraphBuilder::permuted(const Value& value, std::span<const std::int64_t> order) {
  Extents shape;
  for (const std::int64_t axis : order) {
    shape.push_back(value.shape.at(static_cast<std::size_t>(axis)));
  }
  auto [extents, target] = blocks_of(value.shape, order);
  Value result = value;
  if (extents.size() == 2 || extents.size() == 3) {
    extents.resize(3, 1);
    target.resize(3, 2);
    result = transposed(value, {extents[0], extents[1], extents[2]},
                        {static_cast<int>(target[0]), static_cast<int>(target[1]), static_cast<int>(target[2])});
  } else if (extents.size() > 3) {
    // A layer takes one block to the front. The last ones, as far as they are in order already, need not move.
    std::vector<std::size_t> now(extents.size());
    std::iota(now.begin(), now.end(), std::size_t{0});
    std::size_t moved = target.size() - 1;
    while (moved > 0 && target[moved - 1] < target[moved]) {
      --moved;
    }
    while (moved-- > 0) {
      const auto at = std::ranges::find(now, target[moved]) - now.begin();
      Extents current;
      std::ranges::transform(now, std::back_inserter(current),
                             [&sizes = extents](std::size_t block) { return sizes[block]; });
      result = transposed(result, around_axis(current, static_cast<std::size_t>(at)), {1, 0, 2});
      std::rotate(now.begin(), now.begin() + at, now.begin() + at + 1);
    }
  }
  result.shape = std::move(shape);
  return result;
}

Value GraphBuilder::padded_along(const Value& value, std::size_t axis, std::int64_t before, std::int64_t after) {
  if (before == 0 && after == 0) {
    return value;
  }
  Extents shape = value.shape;
  shape[axis] += before + after;
  if (axis == 0 && before <= 0 && after <= 0) {
    return layer(Operation::slice,
                 {.channels = shape[0], .sources = {viewed(value, image_shape(value.shape))}, .first = -before}, shape);
  }
  const bool last = axis > 0 && axis + 1 == value.shape.size();
  const ImageShape rows = around_axis(value.shape, axis);
  const ImageShape columns =
      last ? ImageShape{product(value.shape, 0, axis - 1), value.shape[axis - 1], value.shape[axis]} : rows;
  const std::array<int, 4> margins =
      last ? std::array{0, 0, small(before), small(after)} : std::array{small(before), small(after), 0, 0};
  return layer(Operation::padding, {.sources = {viewed(value, columns)}, .margins = margins}, shape);
}

Value GraphBuilder::padded(const Value& value, const Extents& before, const Extents& after) {
  if (value.shape.size() == 3 && before[0] == 0 && after[0] == 0 && before[1] + after[1] != 0 &&
      before[2] + after[2] != 0) {
    const Extents shape{value.shape[0], value.shape[1] + before[1] + after[1], value.shape[2] + before[2] + after[2]};
    return layer(Operation::padding,
                 {.sources = {viewed(value, image_shape(value.shape))},
                  .margins = {small(before[1]), small(after[1]), small(before[2]), small(after[2])}},
                 shape);
  }
  Value result = value;
  for (std::size_t axis = 0; axis < value.shape.size(); ++axis) {
    result = padded_along(result, axis, before[axis], after[axis]);
  }
  return result;
}

Value GraphBuilder::sliced(const Value& value, std::size_t axis, std::int64_t first, std::int64_t extent,
                           std::int64_t step) {
  // A step takes the first of every `step` positions: whole groups of them, zeros at the end where the last is short.
  const std::int64_t covered = extent * step;
  Value part = padded_along(value, axis, -first, first + covered - value.shape[axis]);
  if (step == 1) {
    return part;
  }
  Extents shape = part.shape;
  shape[axis] = extent;
  part.shape.insert(part.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, step);
  part.shape[axis] = extent;
  part = padded_along(part, axis + 1, 0, 1 - step);
  part.shape = std::move(shape);
  return part;
}

}  // namespace vaeguard::importers
