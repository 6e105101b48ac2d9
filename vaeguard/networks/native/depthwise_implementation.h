// The kernels of depthwise convolutions for any vector width: channels side by side, each with its own filter.
// Included at the end of kernels_implementation.h, whose rules apply.
#pragma once

namespace vaeguard::networks::native {
namespace {

// Rows x Vectors results of one class from its element `first` on; element m is position m % positions of row
// m / positions. Each step loads the vectors of one tap's weights and multiplies them with every row's inputs there.
template <int Rows, int Vectors>
inline void depthwise_tile(const GatherTask& task, const PositionClass& c, std::int64_t first, std::int64_t column,
                           const float* weights) {
  const float* inputs[Rows];
  const std::int32_t* offsets[Rows];
  std::int64_t outputs[Rows];
  Vector sums[Rows][Vectors];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
    const std::int64_t row = (first + r) / c.positions;
    const std::int64_t i = (first + r) % c.positions;
    const std::int64_t position = task.positions[c.first_position + i];
    inputs[r] = static_cast<const float*>(task.input) + row * task.input_stride + column;
    offsets[r] = task.offsets + c.first_offset + i * c.terms;
    outputs[r] = row * task.output_stride + position * task.position_stride + column;
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      sums[r][v] = task.bias == nullptr ? zero() : load(task.bias + position * task.bias_stride + column + v * kWidth);
    }
  }
  for (std::int32_t j = 0; j < c.terms; ++j) {
    const float* tap = weights + task.terms[c.first_term + j].weight_row * Vectors * kWidth;
    Vector columns[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      columns[v] = load(tap + v * kWidth);
    }
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const float* x = inputs[r] + offsets[r][j];
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) {
        sums[r][v] += columns[v] * load(x + v * kWidth);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      finish(task, outputs[r] + v * kWidth, task.channels - column - v * kWidth, sums[r][v]);
    }
  }
}

template <int Vectors>
void depthwise_block(const GatherTask& task, std::int64_t column, const float* weights) {
  constexpr int kFewRows = 2;
  for (std::int64_t i = 0; i < task.classes; ++i) {
    const PositionClass& c = task.first_class[i];
    const std::int64_t elements = task.rows * c.positions;
    std::int64_t first = 0;
    for (; first + kTileRows <= elements; first += kTileRows) {
      depthwise_tile<kTileRows, Vectors>(task, c, first, column, weights);
    }
    for (; first + kFewRows <= elements; first += kFewRows) {
      depthwise_tile<kFewRows, Vectors>(task, c, first, column, weights);
    }
    for (; first < elements; ++first) {
      depthwise_tile<1, Vectors>(task, c, first, column, weights);
    }
  }
}

template <int Vectors>
void depthwise_columns(const GatherTask& task, std::int64_t vectors, std::int64_t column) {
  if (vectors == Vectors) {
    depthwise_block<Vectors>(task, column, static_cast<const float*>(task.weights) + column * task.depth);
  } else if constexpr (Vectors > 1) {
    depthwise_columns<Vectors - 1>(task, vectors, column);
  }
}

void depthwise(const GatherTask& task) {
  const std::int64_t all = (task.channels + kWidth - 1) / kWidth;
  for (std::int64_t done = 0; done < all; done += kTileVectors) {
    const std::int64_t left = all - done;
    depthwise_columns<kTileVectors>(task, left < kTileVectors ? left : kTileVectors, done * kWidth);
  }
}

// Vectors of neighbouring channels of one tap's gradient.
template <int Vectors>
inline void depthwise_outer_tile(const OuterTask& task, std::int64_t tap, std::int64_t column) {
  Vector sums[Vectors];
  for (int v = 0; v < Vectors; ++v) {
    sums[v] = zero();
  }
  for (std::int32_t at = task.first_pair[tap]; at < task.first_pair[tap + 1]; ++at) {
    const float* left = task.left + task.pairs[at].left * task.left_position + column;
    const float* right = task.right + task.pairs[at].right * task.right_position + column;
    for (std::int64_t image = 0; image < task.rows; ++image, left += task.left_row, right += task.right_row) {
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) {
        sums[v] += load(left + v * kWidth) * load(right + v * kWidth);
      }
    }
  }
  float* to = task.gradient + tap * task.right_channels + column;
  for (int v = 0; v < Vectors; ++v) {
    store(to + v * kWidth, load(to + v * kWidth) + sums[v]);
  }
}

void depthwise_outer(const OuterTask& task) {
  constexpr int kVectors = 4;
  for (std::int64_t tap = 0; tap < task.taps; ++tap) {
    std::int64_t column = 0;
    for (; column + kVectors * kWidth <= task.right_channels; column += kVectors * kWidth) {
      depthwise_outer_tile<kVectors>(task, tap, column);
    }
    for (; column < task.right_channels; column += kWidth) {
      depthwise_outer_tile<1>(task, tap, column);
    }
  }
}

}  // namespace
}  // namespace vaeguard::networks::native
