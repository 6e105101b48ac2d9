// Plain copies around the primitives: layouts, columns of taps; for the sources of this folder only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/networks/layer_maps.h"

namespace vaeguard::networks::onednn {

/// Copies `count` neighbouring floats of an image from one place to another; from -1: zeros.
struct Run {
  std::int64_t to;
  std::int64_t from;
  std::int64_t count;
};

/// How a strided kernel connects the positions of a layer's two sides: coarse position q meets fine position q * stride
/// - padding + dilation * tap. A convolution reads the fine side, a transposed convolution writes it.
struct Geometry {
  ImageShape fine;
  ImageShape coarse;
  int kernel = 1;
  int stride = 1;
  int padding = 0;
  int dilation = 1;
  int groups = 1;

  [[nodiscard]] std::int64_t taps() const { return static_cast<std::int64_t>(kernel) * kernel; }
};
Geometry geometry(const Layer& layer);

/// How an image of the fine side becomes columns [coarse position][tap][channel]; empty if both are the same floats.
std::vector<Run> column_runs(const Geometry& geometry);
void copy(std::span<const Run> runs, const float* from, float* to);
/// Adds each run's target to its source: the transpose of copy.
void add_back(std::span<const Run> runs, const float* targets, float* sources);

/// For each fine position the columns (floats from the start of an image) that belong to it.
struct ColumnSums {
  std::vector<std::int32_t> first;
  std::vector<std::int64_t> columns;
  std::int64_t channels = 0;
};
ColumnSums column_sums(const Geometry& geometry);
/// Columns of one image -> the fine side, starting from `bias` [position][channel], with ReLU if asked for.
void add_columns(const ColumnSums& sums, const float* columns, const float* bias, bool relu, float* to);

/// The runs of a layer that moves values (layer_maps.h) between channels-last images.
std::vector<Run> move_runs(const Layer& layer);

/// Rows first .. first + rows as channels-last images; rows beyond the end of `matrix` are zero.
void rows_to_images(const Matrix& matrix, std::int64_t first, std::int64_t rows, const ImageShape& shape, float* to);
/// The reverse; rows beyond the end of `matrix` are dropped.
void images_to_rows(const float* from, std::int64_t first, std::int64_t rows, const ImageShape& shape, Matrix& matrix);

/// to += from.
void add(const float* from, std::int64_t size, float* to);

}  // namespace vaeguard::networks::onednn
