// Nodes that change the size of an image: pooling, means, resizing.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/importers/node_import.h"

namespace vaeguard::importers {
namespace {

using networks::LayerOptions;
using networks::Operation;

constexpr const char* kPlace = "importers.pooling_nodes";
constexpr std::size_t kNoInput = 99;

void check_image(const Value& value) {
  if (value.shape.size() != 3) {
    misuse(kPlace, "its input must be [N, channels, rows, columns], got {} axes after the batch", value.shape.size());
  }
}

Extents shape_of(const ImageShape& image) { return {image.channels, image.height, image.width}; }

// The mean over the last `axes` axes, which keep extent 1.
Value mean_over_last(GraphBuilder& builder, const Value& value, std::size_t axes) {
  Extents shape = value.shape;
  ImageShape view{1, 1, 1};
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool kept = i + axes < shape.size();
    (kept ? view.channels : i + 1 == shape.size() ? view.width : view.height) *= shape[i];
    shape[i] = kept ? shape[i] : 1;
  }
  return builder.layer(Operation::mean, {.sources = {builder.viewed(value, view)}}, shape);
}

// ---- pooling

struct Pool {
  LayerOptions options;
  Extents pads;
  bool whole = false;  // one window that is the image itself
};

Pool pool_of(const NodeImport& node, const Value& value) {
  check_image(value);
  const auto kernel = node.integers("kernel_shape");
  const Extents strides = node.integers("strides").value_or(Extents{1, 1});
  const Extents pads = node.integers("pads").value_or(Extents(4, 0));
  const Extents dilations = node.integers("dilations").value_or(Extents{1, 1});
  if (!kernel || kernel->size() != 2 || strides.size() != 2 || pads.size() != 4 ||
      std::ranges::any_of(*kernel, [](std::int64_t side) { return side < 1 || side > (1 << 14); })) {
    misuse(kPlace,
           "kernel_shape, strides and pads must be 2, 2 and 4 integers, the kernel from 1 to 2^14; got {}, {} and {}",
           text(kernel.value_or(Extents{})), text(strides), text(pads));
  }
  if (node.word("auto_pad", "NOTSET") != "NOTSET" || dilations != Extents{1, 1}) {
    misuse(kPlace, "padding must be given by pads, and dilations must be 1");
  }
  if ((*kernel)[0] == value.shape[1] && (*kernel)[1] == value.shape[2] && pads == Extents(4, 0)) {
    return {.options = {}, .pads = pads, .whole = true};
  }
  if ((*kernel)[0] != (*kernel)[1] || strides[0] != strides[1] || strides[0] < 1 || strides[0] > (1 << 14) ||
      std::ranges::min(pads) < 0 || std::ranges::max(pads) > (1 << 14)) {
    misuse(kPlace, "windows must be square, strides the same both ways, pads not negative; got {}, {} and {}",
           text(*kernel), text(strides), text(pads));
  }
  if (node.integer("ceil_mode", 0) != 0) {
    for (std::size_t axis = 0; axis < 2; ++axis) {
      if ((value.shape[axis + 1] + pads[axis] + pads[axis + 2] - (*kernel)[axis]) % strides[axis] != 0) {
        misuse(kPlace, "ceil_mode would add a window that is not whole");
      }
    }
  }
  return {.options = {.kernel = static_cast<int>((*kernel)[0]), .stride = static_cast<int>(strides[0])}, .pads = pads};
}

bool same_all_around(const Extents& pads) {
  return std::ranges::all_of(pads, [&](std::int64_t rows) { return rows == pads.front(); });
}

Value pooled(const NodeImport& node, Operation operation, LayerOptions options, const Value& value) {
  GraphBuilder& builder = node.builder();
  options.sources = {builder.viewed(value, image_shape(value.shape))};
  Value result = builder.layer(operation, options, {});
  result.shape = shape_of(builder.graph().boundary(result.boundary));
  return result;
}

Results average_pool(const NodeImport& node) {
  const Value& value = node.value();
  auto [options, pads, whole] = pool_of(node, value);
  const bool count_padding = node.integer("count_include_pad", 0) != 0;
  node.ignore({"ceil_mode"});
  if (whole) {
    return {mean_over_last(node.builder(), value, 2)};
  }
  if (count_padding) {
    return {pooled(node, Operation::average_pooling, options,
                   node.builder().padded(value, {0, pads[0], pads[1]}, {0, pads[2], pads[3]}))};
  }
  if (!same_all_around(pads)) {
    misuse(kPlace, "padding that does not count must be the same on all sides, got {}", text(pads));
  }
  options.padding = static_cast<int>(pads[0]);
  return {pooled(node, Operation::average_pooling, options, value)};
}

Results max_pool(const NodeImport& node) {
  const Value& value = node.value();
  auto [options, pads, whole] = pool_of(node, value);
  node.ignore({"storage_order", "ceil_mode"});
  if (whole && value.shape[1] != value.shape[2]) {
    misuse(kPlace, "windows must be square, got {} x {}", value.shape[1], value.shape[2]);
  }
  if (!same_all_around(pads)) {
    misuse(kPlace, "padding must be the same on all sides, got {}", text(pads));
  }
  options.kernel = whole ? static_cast<int>(value.shape[1]) : options.kernel;
  options.padding = static_cast<int>(pads[0]);
  return {pooled(node, Operation::max_pooling, options, value)};
}

// ---- means

Results global_average(const NodeImport& node) {
  if (node.value().shape.size() < 2) {
    misuse(kPlace, "its input must have rows after the channels");
  }
  return {mean_over_last(node.builder(), node.value(), node.value().shape.size() - 1)};
}

Results reduce_mean(const NodeImport& node) {
  const Value& value = node.value();
  const auto axes = node.integers_or_input("axes", 1);
  if (!axes || axes->empty() || node.integer("noop_with_empty_axes", 0) != 0) {
    misuse(kPlace, "it must name the axes, or it would mix the images of a batch");
  }
  std::vector<bool> reduced(value.shape.size(), false);
  for (const std::int64_t axis : *axes) {
    reduced[node.axis_of(value, axis)] = true;
  }
  Extents order;
  for (const bool last : {false, true}) {
    for (std::size_t i = 0; i < reduced.size(); ++i) {
      if (reduced[i] == last) {
        order.push_back(static_cast<std::int64_t>(i));
      }
    }
  }
  const auto gone = static_cast<std::size_t>(std::ranges::count(reduced, true));
  Value result = mean_over_last(node.builder(), node.builder().permuted(value, order), gone);
  const bool keep = node.integer("keepdims", 1) != 0;
  result.shape.clear();
  for (std::size_t i = 0; i < reduced.size(); ++i) {
    if (!reduced[i] || keep) {
      result.shape.push_back(reduced[i] ? 1 : value.shape[i]);
    }
  }
  return {result};
}

// ---- resizing

// Where ONNX reads output row `o` of `to`, from rows of `from`.
double position(const std::string& mode, std::int64_t o, std::int64_t from, std::int64_t to) {
  const double scale = static_cast<double>(to) / static_cast<double>(from);
  if (mode == "asymmetric") {
    return static_cast<double>(o) / scale;
  }
  if (mode == "align_corners") {
    return to == 1 ? 0.0 : static_cast<double>(o * (from - 1)) / static_cast<double>(to - 1);
  }
  if (mode == "pytorch_half_pixel" && to == 1) {
    return 0.0;
  }
  if (mode == "half_pixel" || mode == "pytorch_half_pixel") {
    return (static_cast<double>(o) + 0.5) / scale - 0.5;
  }
  misuse(kPlace, "coordinate_transformation_mode '{}' is not known here", mode);
}

std::int64_t nearest(const std::string& mode, double at) {
  if (mode == "floor") {
    return static_cast<std::int64_t>(std::floor(at));
  }
  if (mode == "ceil") {
    return static_cast<std::int64_t>(std::ceil(at));
  }
  if (mode == "round_prefer_ceil") {
    return static_cast<std::int64_t>(std::floor(at + 0.5));
  }
  if (mode == "round_prefer_floor") {
    return static_cast<std::int64_t>(std::ceil(at - 0.5));
  }
  misuse(kPlace, "nearest_mode '{}' is not known here", mode);
}

// The size after the resize, from scales or sizes with the batch and the channels, which must stay.
Extents resized_shape(const NodeImport& node, const Value& value, std::size_t scales, std::size_t sizes) {
  check_image(value);
  Extents shape = value.shape;
  if (node.has_input(sizes) && node.constant(sizes).size() > 0) {
    const Extents& wanted = node.constant(sizes).integers();
    shape = wanted.size() == 4 ? Extents(wanted.begin() + 1, wanted.end()) : Extents{};
  } else {
    const auto* written = node.attribute("scales");  // of the oldest versions
    const bool is_list = written != nullptr && std::holds_alternative<std::vector<float>>(*written);
    const std::vector<float> factors = node.has_input(scales) ? node.constant(scales).reals()
                                       : is_list              ? std::get<std::vector<float>>(*written)
                                                              : std::vector<float>{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double extent =
          factors.size() == 4 && factors[0] == 1.0F ? static_cast<double>(value.shape[axis]) * factors[axis + 1] : 0.0;
      shape[axis] = extent < 1e6 ? std::llround(extent) : 0;
      if (std::abs(extent - static_cast<double>(shape[axis])) > 1e-3) {
        misuse(kPlace, "scales must lead to whole numbers of rows, {} x {} does not", value.shape[axis],
               factors[axis + 1]);
      }
    }
  }
  constexpr std::int64_t kMost = 1 << 20;  // rows or columns
  if (shape.size() != 3 || shape[0] != value.shape[0] || std::ranges::min(shape) < 1 ||
      std::max(shape[1], shape[2]) > kMost) {
    misuse(
        kPlace,
        "scales or sizes must be four, leave batch and channels as they are, and lead to 1 to 2^20 rows and columns; "
        "they lead from {} to {}",
        text(value.shape), text(shape));
  }
  return shape;
}

Results repeated(const NodeImport& node, const Value& value, const Extents& shape, const std::string& coordinates,
                 const std::string& rounding) {
  const std::int64_t factor = shape[1] / value.shape[1];
  for (std::size_t axis = 1; axis < 3; ++axis) {
    const std::int64_t from = value.shape[axis];
    bool repeats = shape[axis] == factor * from;
    for (std::int64_t o = 0; repeats && o < shape[axis]; ++o) {
      const std::int64_t read = nearest(rounding, position(coordinates, o, from, shape[axis]));
      repeats = std::clamp<std::int64_t>(read, 0, from - 1) == o / factor;
    }
    if (!repeats) {
      misuse(kPlace,
             "the nearest pixel can only be taken where each is repeated a whole number of times, the same both "
             "ways; got {} to {} ({}, {})",
             text(value.shape), text(shape), coordinates, rounding);
    }
  }
  return {pooled(node, Operation::upsampling, {.stride = static_cast<int>(factor)}, value)};
}

Results interpolated(const NodeImport& node, const Value& value, const Extents& shape, const std::string& coordinates) {
  const bool half =
      coordinates == "half_pixel" || (coordinates == "pytorch_half_pixel" && shape[1] > 1 && shape[2] > 1);
  if (!half && coordinates != "align_corners") {
    misuse(kPlace, "linear resizing needs half_pixel or align_corners coordinates, got '{}'", coordinates);
  }
  return {pooled(node, Operation::bilinear_resize, {.shape = image_shape(shape), .align_corners = !half}, value)};
}

Results resize(const NodeImport& node) {
  const Value& value = node.value();
  const bool old = node.opset() < 11;  // scales were the second input, and coordinates asymmetric
  const Extents shape = resized_shape(node, value, old ? 1 : 2, old ? kNoInput : 3);
  const std::string mode = node.word("mode", "nearest");
  const std::string coordinates = node.word("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
  const std::string rounding = node.word("nearest_mode", old ? "floor" : "round_prefer_floor");
  node.ignore({"cubic_coeff_a", "extrapolation_value", "exclude_outside"});
  if (node.integer("antialias", 0) != 0) {
    misuse(kPlace, "antialias is not known here");
  }
  if (shape == value.shape) {
    return {value};
  }
  if (mode == "nearest") {
    return repeated(node, value, shape, coordinates, rounding);
  }
  if (mode != "linear") {
    misuse(kPlace, "mode must be nearest or linear, got '{}'", mode);
  }
  return interpolated(node, value, shape, coordinates);
}

constexpr NodeEntry kEntries[]{
    {"AveragePool", average_pool}, {"MaxPool", max_pool}, {"GlobalAveragePool", global_average},
    {"ReduceMean", reduce_mean},   {"Resize", resize},    {"Upsample", resize}};

}  // namespace

std::span<const NodeEntry> pooling_nodes() { return kEntries; }

}  // namespace vaeguard::importers
