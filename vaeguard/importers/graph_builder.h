// Layers for values of any number of axes: views, moves and scalings, for the sources of this folder only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "vaeguard/importers/tensor.h"
#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::importers {

/// What depends on the network's input: the numbers at a boundary in their order, seen with these extents, without the
/// batch. Layers are only needed where numbers move or change, so a change of extents costs nothing.
struct Value {
  std::int64_t boundary = 0;
  Extents shape{};
  bool shared = false;  // something else reads it too, so its layer must stay as it is
};

/// Three axes for a value: [C, H, W] as it is, [C, L] as C x L x 1, [N] as N x 1 x 1; from four on the last ones become
/// columns.
ImageShape image_shape(const Extents& shape);
/// Three axes around one: those before it are channels, those after it columns.
ImageShape around_axis(const Extents& shape, std::size_t axis);

class GraphBuilder {
 public:
  explicit GraphBuilder(ImageShape input);

  [[nodiscard]] const networks::LayerGraph& graph() const { return graph_; }

  /// The boundary that holds the value in that shape of as many values: its own, or that of a reshape.
  std::int64_t viewed(const Value& value, const ImageShape& shape);
  /// A layer on boundaries (options.sources), whose output is seen with `shape`.
  Value layer(networks::Operation operation, networks::LayerOptions options, Extents shape);
  /// A convolution or transposed convolution with these weights, and biases unless that is empty.
  Value weighted(networks::Operation operation, const networks::LayerOptions& options, std::span<const float> weight,
                 std::span<const float> bias, Extents shape);

  /// scale * value + shift, one of each for every number; within the layer before where it has weights.
  Value scaled(const Value& value, std::span<const float> scale, std::span<const float> shift);
  /// The activation of `options`, within the layer before where that has none.
  Value activated(const Value& value, const networks::LayerOptions& options);
  /// Output axis i is input axis order[i].
  Value permuted(const Value& value, std::span<const std::int64_t> order);
  /// Zeros before and after each axis; negative numbers crop.
  Value padded(const Value& value, const Extents& before, const Extents& after);
  /// Positions first, first + step, ... of an axis, `extent` of them.
  Value sliced(const Value& value, std::size_t axis, std::int64_t first, std::int64_t extent, std::int64_t step = 1);

 private:
  // The layer whose output the value is, if it may still be changed.
  networks::Layer* open_layer(const Value& value);
  Value padded_along(const Value& value, std::size_t axis, std::int64_t before, std::int64_t after);
  Value transposed(const Value& value, const ImageShape& shape, std::array<int, 3> axes);

  networks::LayerGraph graph_;
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, std::int64_t> views_;  // boundary, channels, height
};

}  // namespace vaeguard::importers
