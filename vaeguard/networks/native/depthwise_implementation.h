// The kernels of depthwise convolutions for any vector width: channels side by side, each with its own filter.
// Included at the end of kernels_implementation.h, whose rules apply.
#pragma once

namespace vaeguard::networks::native {
namespace {

// The next Rows x Vectors results of one class. Each step loads the vectors of one tap's weights and multiplies them
// with every row's inputs there.
template <int Rows, int Vectors>
inline void depthwise_tile(const GatherTask& task, const PositionClass& c, std::int64_t column, const float* weights,
                           Places& places) {
  move_on(task, c, Rows, column, Vectors, places);
  const std::int32_t* offsets = task.offsets + c.first_offset;
  const float* inputs[Rows];  // moved by the distance from the class's first position
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
    const std::int64_t distance = c.terms == 0 ? 0 : places.offsets[r][0] - offsets[0];
    inputs[r] = static_cast<const float*>(task.input) + places.inputs[r] + distance + column;
  }
  Vector sums[Rows][Vectors];
  start(task, places, sums);
  for (std::int32_t j = 0; j < c.terms; ++j) {
    const float* tap = weights + task.terms[c.first_term + j].weight_row * Vectors * kWidth;
    Vector columns[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      columns[v] = load(tap + v * kWidth);
    }
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const float* x = inputs[r] + offsets[j];
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) {
        sums[r][v] += columns[v] * load(x + v * kWidth);
      }
    }
  }
  finish(task, task.channels - column, places.outputs, sums);
}

// The `left` last elements of a class, in tiles of Rows and then in smaller ones.
template <int Rows, int Vectors>
void depthwise_class(const GatherTask& task, const PositionClass& c, std::int64_t left, std::int64_t column,
                     const float* weights, Places& places) {
  for (; left >= Rows; left -= Rows) {
    depthwise_tile<Rows, Vectors>(task, c, column, weights, places);
  }
  if constexpr (Rows > 1) {
    depthwise_class<Rows / 2, Vectors>(task, c, left, column, weights, places);
  }
}

template <int Vectors>
void depthwise_block(const GatherTask& task, std::int64_t column, const float* weights) {
  for (std::int64_t i = 0; i < task.classes; ++i) {
    const PositionClass& c = task.first_class[i];
    Places places;
    depthwise_class<kTileRows, Vectors>(task, c, task.rows * c.positions, column, weights, places);
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
