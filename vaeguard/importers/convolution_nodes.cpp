// Nodes with weights: Conv, ConvTranspose, Gemm, MatMul and BatchNormalization.
#include <algorithm>
#include <cmath>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/importers/node_import.h"

namespace vaeguard::importers {
namespace {

using networks::LayerOptions;
using networks::Operation;

constexpr const char* kPlace = "importers.convolution_nodes";

// Rows and columns; a convolution of one axis has one column.
struct Pair {
  std::int64_t rows;
  std::int64_t columns;
};

// The window of a convolution, as its attributes have it.
struct Window {
  Pair kernel;
  int stride;
  int dilation;
  int groups;
  Pair before;  // padding
  Pair after;

  // Layers have square kernels: a shorter side is filled up with zeros behind the last weight.
  [[nodiscard]] std::int64_t side() const { return std::max(kernel.rows, kernel.columns); }
  [[nodiscard]] Pair filled() const {
    return {dilation * (side() - kernel.rows), dilation * (side() - kernel.columns)};
  }
  [[nodiscard]] bool plain() const {
    return kernel.rows == kernel.columns && before.rows == before.columns && before.rows == after.rows &&
           before.rows == after.columns && before.rows >= 0;
  }
};

int one_of(const Extents& values, const char* what) {
  if (values.empty() || std::ranges::any_of(values, [&](std::int64_t value) { return value != values.front(); })) {
    misuse(kPlace, "{} must be the same for rows and columns, got {}", what, text(values));
  }
  if (values.front() < 1 || values.front() > (1 << 14)) {
    misuse(kPlace, "{} must be from 1 to 2^14, got {}", what, values.front());
  }
  return static_cast<int>(values.front());
}

std::size_t spatial_axes(const Value& value) {
  if (value.shape.size() != 2 && value.shape.size() != 3) {
    misuse(kPlace, "its input must be [N, channels, rows, columns] or [N, channels, rows], got {} axes after the batch",
           value.shape.size());
  }
  return value.shape.size() - 1;
}

// Padding that SAME asks for, divided evenly, with the odd one before or after.
void pad_same(const std::string& mode, std::int64_t total, std::int64_t& before, std::int64_t& after) {
  total = std::max<std::int64_t>(total, 0);
  before = mode == "SAME_LOWER" ? (total + 1) / 2 : total / 2;
  after = total - before;
}

// `pads`: two per axis, all first ones before all second ones.
Window window_of(const NodeImport& node, const Value& value, const Tensor& weight, Extents pads) {
  const std::size_t axes = spatial_axes(value);
  if (weight.shape.size() != axes + 2) {
    misuse(kPlace, "its weights must have {} axes, got the shape {}", axes + 2, text(weight.shape));
  }
  const bool flat = axes == 1;
  const Extents kernel(weight.shape.begin() + 2, weight.shape.end());
  if (const auto written = node.integers("kernel_shape"); written && *written != kernel) {
    misuse(kPlace, "kernel_shape {} is not that of the weights {}", text(*written), text(weight.shape));
  }
  if (pads.size() != 2 * axes || std::ranges::any_of(kernel, [](std::int64_t k) { return k < 1 || k > (1 << 12); })) {
    misuse(kPlace, "expected {} pads and a kernel of 1 to 4096, got {} and {}", 2 * axes, text(pads), text(kernel));
  }
  if (std::ranges::any_of(pads, [](std::int64_t rows) { return rows < -(1 << 14) || rows > (1 << 14); })) {
    misuse(kPlace, "pads must be from -2^14 to 2^14, got {}", text(pads));
  }
  constexpr std::int64_t kWidest = 64;  // of those that are filled up, whose squares must stay small
  if (std::ranges::max(kernel) > kWidest && (flat || kernel[0] != kernel[1])) {
    misuse(kPlace, "kernels that are not square may be at most {} wide, got {}", kWidest, text(kernel));
  }
  const Extents ones(axes, 1);
  return {.kernel = {kernel[0], flat ? 1 : kernel[1]},
          .stride = one_of(node.integers("strides").value_or(ones), "strides"),
          .dilation = one_of(node.integers("dilations").value_or(ones), "dilations"),
          .groups = one_of({node.integer("group", 1)}, "group"),
          .before = {pads[0], flat ? 0 : pads[1]},
          .after = {pads[axes], flat ? 0 : pads[axes + 1]}};
}

Extents pads_of(const NodeImport& node, std::size_t axes) {
  return node.integers("pads").value_or(Extents(2 * axes, 0));
}

// [outer, inner, rows, columns] -> the same with square kernels.
std::vector<float> squared(const Tensor& weight, const Window& window) {
  const std::vector<float> from = weight.reals();
  const std::int64_t side = window.side();
  const std::int64_t kernels = weight.shape[0] * weight.shape[1];
  std::vector<float> result(static_cast<std::size_t>(kernels * side * side), 0.0F);
  auto value = from.begin();
  for (std::int64_t k = 0; k < kernels; ++k) {
    for (std::int64_t row = 0; row < window.kernel.rows; ++row) {
      for (std::int64_t column = 0; column < window.kernel.columns; ++column) {
        result[static_cast<std::size_t>((k * side + row) * side + column)] = *value++;
      }
    }
  }
  return result;
}

std::vector<float> biases(const NodeImport& node, std::size_t index) {
  return node.has_input(index) ? node.constant(index).reals() : std::vector<float>{};
}

// The extents after the channels that an operation leaves: as many as there were.
Extents spatial_shape(const Value& value, const ImageShape& image) {
  Extents shape{image.channels, image.height};
  if (value.shape.size() == 3) {
    shape.push_back(image.width);
  }
  return shape;
}

void check_channels(std::int64_t expected, std::int64_t found) {
  if (expected != found) {
    misuse(kPlace, "its weights are for {} channels, its input has {}", expected, found);
  }
}

// ---- Conv

Results convolution(const NodeImport& node) {
  const Value& value = node.value();
  const Tensor& weight = node.constant(1);
  const std::size_t axes = spatial_axes(value);
  Window window = window_of(node, value, weight, pads_of(node, axes));
  check_channels(weight.shape[1] * window.groups, value.shape[0]);
  const std::string mode = node.word("auto_pad", "NOTSET");
  const ImageShape image = image_shape(value.shape);
  if (mode.starts_with("SAME_")) {
    const auto total = [&](std::int64_t extent, std::int64_t kernel) {
      return ((extent + window.stride - 1) / window.stride - 1) * window.stride + window.dilation * (kernel - 1) + 1 -
             extent;
    };
    pad_same(mode, total(image.height, window.kernel.rows), window.before.rows, window.after.rows);
    if (axes == 2) {
      pad_same(mode, total(image.width, window.kernel.columns), window.before.columns, window.after.columns);
    }
  } else if (mode != "NOTSET" && mode != "VALID") {
    misuse(kPlace, "auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER, got '{}'", mode);
  }
  LayerOptions options{.channels = weight.shape[0],
                       .kernel = static_cast<int>(window.side()),
                       .stride = window.stride,
                       .dilation = window.dilation,
                       .groups = window.groups};
  GraphBuilder& builder = node.builder();
  if (window.plain()) {
    options.padding = static_cast<int>(window.before.rows);
    options.sources = {builder.viewed(value, image)};
  } else {
    const Pair filled = window.filled();
    const Value seen{value.boundary, {image.channels, image.height, image.width}, value.shared};
    const Value wide = builder.padded(seen, {0, window.before.rows, window.before.columns},
                                      {0, window.after.rows + filled.rows, window.after.columns + filled.columns});
    options.sources = {builder.viewed(wide, image_shape(wide.shape))};
  }
  Value result = builder.weighted(Operation::convolution, options, squared(weight, window), biases(node, 2), {});
  result.shape = spatial_shape(value, builder.graph().boundary(result.boundary));
  return {result};
}

// ---- ConvTranspose

Results transposed_convolution(const NodeImport& node) {
  const Value& value = node.value();
  const Tensor& weight = node.constant(1);
  const std::size_t axes = spatial_axes(value);
  Window window = window_of(node, value, weight, pads_of(node, axes));
  check_channels(weight.shape[0], value.shape[0]);
  if (node.attribute("output_shape") != nullptr || node.word("auto_pad", "NOTSET") != "NOTSET") {
    misuse(kPlace, "its padding must be given by pads and output_padding, not by output_shape or auto_pad");
  }
  Extents more = node.integers("output_padding").value_or(Extents(axes, 0));
  if (more.size() != axes ||
      std::ranges::any_of(more, [&](std::int64_t rows) { return rows < 0 || rows >= window.stride; })) {
    misuse(kPlace, "output_padding must be less than the stride {}, got {}", window.stride, text(more));
  }
  more.resize(2, axes == 1 ? 0 : more.back());
  const std::int64_t most = std::max(more[0], more[1]);
  LayerOptions options{.channels = weight.shape[1] * window.groups,
                       .kernel = static_cast<int>(window.side()),
                       .stride = window.stride,
                       .output_padding = static_cast<int>(most),
                       .dilation = window.dilation,
                       .groups = window.groups,
                       .sources = {node.builder().viewed(value, image_shape(value.shape))}};
  const bool plain = window.plain() && more[0] == more[1];
  options.padding = plain ? static_cast<int>(window.before.rows) : 0;
  GraphBuilder& builder = node.builder();
  Value result =
      builder.weighted(Operation::transposed_convolution, options, squared(weight, window), biases(node, 2), {});
  const auto image = [&] { return builder.graph().boundary(result.boundary); };
  if (!plain) {
    const Pair filled = window.filled();
    result.shape = {image().channels, image().height, image().width};
    result = builder.padded(result, {0, -window.before.rows, -window.before.columns},
                            {0, -window.after.rows - filled.rows - (most - more[0]),
                             -window.after.columns - filled.columns - (most - more[1])});
  }
  result.shape = spatial_shape(value, image());
  return {result};
}

// ---- products with matrices

// values [..., K] times `weight` [N, K], plus biases: a 1 x 1 convolution with the last axis for channels.
Value product(const NodeImport& node, const Value& value, std::span<const float> weight, std::span<const float> bias,
              std::int64_t outputs) {
  GraphBuilder& builder = node.builder();
  const std::size_t rank = value.shape.size();
  Extents to_front{static_cast<std::int64_t>(rank) - 1};
  Extents to_back;
  for (std::int64_t axis = 0; axis + 1 < static_cast<std::int64_t>(rank); ++axis) {
    to_front.push_back(axis);
    to_back.push_back(axis + 1);
  }
  to_back.push_back(0);
  const Value channels = builder.permuted(value, to_front);
  Extents shape = channels.shape;
  shape[0] = outputs;
  const Value result = builder.weighted(
      Operation::convolution, {.channels = outputs, .sources = {builder.viewed(channels, image_shape(channels.shape))}},
      weight, bias, shape);
  return builder.permuted(result, to_back);
}

// The weights as [N, K].
std::vector<float> matrix(const Tensor& weight, bool as_written, std::int64_t inputs) {
  if (weight.shape.size() != 2) {
    misuse(kPlace, "its weights must be a matrix, got the shape {}", text(weight.shape));
  }
  check_channels(weight.shape[as_written ? 1 : 0], inputs);
  constexpr std::int64_t kSwap[]{1, 0};
  return as_written ? weight.reals() : transposed(weight, kSwap).reals();
}

std::vector<float> times(std::vector<float> values, double factor) {
  std::ranges::transform(values, values.begin(), [&](float value) { return static_cast<float>(value * factor); });
  return values;
}

Results general_product(const NodeImport& node) {
  const Value& value = node.value();
  const Tensor& weight = node.constant(1);
  const bool as_written = node.integer("transB", 0) != 0;
  if (value.shape.size() != 1 || node.integer("transA", 0) != 0) {
    misuse(kPlace, "its first input must be [N, values], not transposed; it has {} axes after the batch",
           value.shape.size());
  }
  const std::vector<float> rows = times(matrix(weight, as_written, value.shape[0]), node.number("alpha", 1.0));
  const std::int64_t outputs = weight.shape[as_written ? 0 : 1];
  std::vector<float> bias;
  const double beta = node.number("beta", 1.0);
  if (node.has_input(2)) {
    bias = times(broadcast(node.constant(2), {1, outputs}).reals(), beta);
  }
  return {product(node, value, rows, bias, outputs)};
}

Results matrix_product(const NodeImport& node) {
  if (!node.is_constant(1) || node.is_constant(0)) {
    misuse(kPlace,
           "one factor must be a constant matrix on the right: products of two values, as in attention, are "
           "no layer");
  }
  const Value& value = node.value();
  if (value.shape.empty()) {
    misuse(kPlace, "its input must have an axis after the batch");
  }
  const Tensor& weight = node.constant(1);
  return {product(node, value, matrix(weight, false, value.shape.back()), {}, weight.shape[1])};
}

// ---- BatchNormalization

Results batch_normalisation(const NodeImport& node) {
  const Value& value = node.value();
  node.ignore({"momentum", "spatial"});
  if (node.integer("training_mode", 0) != 0) {
    misuse(kPlace, "it must be exported for inference (model.eval()), it is in training mode");
  }
  const double epsilon = node.number("epsilon", 1e-5);
  const std::vector<float> scale = node.constant(1).reals();
  const std::vector<float> shift = node.constant(2).reals();
  const std::vector<float> mean = node.constant(3).reals();
  const std::vector<float> variance = node.constant(4).reals();
  if (value.shape.empty()) {
    misuse(kPlace, "its input must have channels after the batch");
  }
  const auto channels = static_cast<std::size_t>(value.shape[0]);
  for (const auto* values : {&scale, &shift, &mean, &variance}) {
    check_channels(static_cast<std::int64_t>(values->size()), static_cast<std::int64_t>(channels));
  }
  const auto positions = static_cast<std::size_t>(count(value.shape)) / channels;
  std::vector<float> factors;
  std::vector<float> terms;
  for (std::size_t c = 0; c < channels; ++c) {
    if (!(variance[c] + epsilon > 0.0)) {
      misuse(kPlace, "variances must be at least 0, got {}", variance[c]);
    }
    const double factor = scale[c] / std::sqrt(variance[c] + epsilon);
    factors.insert(factors.end(), positions, static_cast<float>(factor));
    terms.insert(terms.end(), positions, static_cast<float>(shift[c] - mean[c] * factor));
  }
  return {node.builder().scaled(value, factors, terms)};
}

constexpr NodeEntry kEntries[]{{"Conv", convolution},
                               {"ConvTranspose", transposed_convolution},
                               {"Gemm", general_product},
                               {"MatMul", matrix_product},
                               {"BatchNormalization", batch_normalisation}};

}  // namespace

std::span<const NodeEntry> convolution_nodes() { return kEntries; }

}  // namespace vaeguard::importers
