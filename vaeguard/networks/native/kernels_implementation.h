// Bodies of the kernels for any vector width; each kernels_<isa>.cpp includes this once with its own flags.
// Nothing here may instantiate a library template: the linker would keep one instruction set's copy for all.
#include "vaeguard/networks/native/kernels.h"

namespace vaeguard::networks::native {
namespace {

constexpr std::int64_t kWidth = VAEGUARD_VECTOR_BYTES / 4;
// A tile of kTileRows x kTileVectors accumulators fills the registers: 12 of 16 with AVX2, 24 of 32 with AVX-512, which
// leaves room for the weights. Each step loads the vectors of weights and broadcasts one value a row, fewer loads than
// multiply-adds.
constexpr int kTileRows = VAEGUARD_TILE_ROWS;
constexpr int kTileVectors = VAEGUARD_TILE_VECTORS;
typedef float Vector __attribute__((vector_size(VAEGUARD_VECTOR_BYTES), aligned(4), may_alias));

inline Vector load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
inline void store(float* to, Vector value) { *reinterpret_cast<Vector*>(to) = value; }
inline Vector zero() { return Vector{}; }

// Activation, mask and accumulation of one vector; `valid` of its columns exist.
inline void finish(const GatherTask& task, std::int64_t at, std::int64_t valid, Vector sum) {
  if (task.relu) {
    sum = sum > zero() ? sum : zero();
  }
  if (valid >= kWidth) {
    if (task.mask != nullptr) {
      sum = load(task.mask + at) > zero() ? sum : zero();
    }
    store(task.output + at, task.accumulate ? load(task.output + at) + sum : sum);
    return;
  }
  for (std::int64_t c = 0; c < valid; ++c) {
    const float value = task.mask == nullptr || task.mask[at + c] > 0.0F ? sum[c] : 0.0F;
    task.output[at + c] = task.accumulate ? task.output[at + c] + value : value;
  }
}

// Rows x Vectors results of one class from its element `first` on; element m is position m % positions of row
// m / positions.
template <int Rows, int Vectors>
inline void gather_tile(const GatherTask& task, const PositionClass& c, std::int64_t first, std::int64_t column,
                        const float* weights) {
  const float* inputs[Rows];
  const std::int32_t* offsets[Rows];
  std::int64_t outputs[Rows];
  Vector sums[Rows][Vectors];
  for (int r = 0; r < Rows; ++r) {
    const std::int64_t row = (first + r) / c.positions;
    const std::int64_t i = (first + r) % c.positions;
    const std::int64_t position = task.positions[c.first_position + i];
    inputs[r] = task.input + row * task.input_stride;
    offsets[r] = task.offsets + c.first_offset + i * c.terms;
    outputs[r] = row * task.output_stride + position * task.position_stride + column;
    for (int v = 0; v < Vectors; ++v) {
      sums[r][v] = task.bias == nullptr ? zero() : load(task.bias + position * task.bias_stride + column + v * kWidth);
    }
  }
  for (std::int32_t j = 0; j < c.terms; ++j) {
    const Term term = task.terms[c.first_term + j];
    const float* w = weights + term.weight_row * Vectors * kWidth;
    const float* x[Rows];
    for (int r = 0; r < Rows; ++r) {
      x[r] = inputs[r] + offsets[r][j];
    }
    for (std::int64_t k = 0; k < term.depth; ++k) {
      Vector columns[Vectors];
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) {
        columns[v] = load(w + (k * Vectors + v) * kWidth);
      }
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
          sums[r][v] += columns[v] * x[r][k];
        }
      }
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) {
      finish(task, outputs[r] + v * kWidth, task.channels - column - v * kWidth, sums[r][v]);
    }
  }
}

// What remains of a class after its whole tiles, as one smaller tile.
template <int Rows, int Vectors>
inline void gather_rest(const GatherTask& task, const PositionClass& c, std::int64_t first, std::int64_t rest,
                        std::int64_t column, const float* weights) {
  if (rest == Rows) {
    gather_tile<Rows, Vectors>(task, c, first, column, weights);
  } else if constexpr (Rows > 1) {
    gather_rest<Rows - 1, Vectors>(task, c, first, rest, column, weights);
  }
}

template <int Vectors>
void gather_block(const GatherTask& task, std::int64_t column, const float* weights) {
  for (std::int64_t i = 0; i < task.classes; ++i) {
    const PositionClass& c = task.first_class[i];
    const std::int64_t elements = task.rows * c.positions;
    std::int64_t first = 0;
    for (; first + kTileRows <= elements; first += kTileRows) {
      gather_tile<kTileRows, Vectors>(task, c, first, column, weights);
    }
    gather_rest<kTileRows, Vectors>(task, c, first, elements - first, column, weights);
  }
}

template <int Vectors>
void gather_columns(const GatherTask& task, std::int64_t vectors, std::int64_t column) {
  if (vectors == Vectors) {
    gather_block<Vectors>(task, column, task.weights + column * task.depth);
  } else if constexpr (Vectors > 1) {
    gather_columns<Vectors - 1>(task, vectors, column);
  }
}

void gather(const GatherTask& task) {
  const std::int64_t all = (task.channels + kWidth - 1) / kWidth;
  for (std::int64_t done = 0; done < all; done += kTileVectors) {
    const std::int64_t left = all - done;
    gather_columns<kTileVectors>(task, left < kTileVectors ? left : kTileVectors, done * kWidth);
  }
}

// Rows left channels x Vectors vectors of right channels of one tap's gradient.
template <int Rows, int Vectors>
inline void outer_tile(const OuterTask& task, std::int64_t tap, std::int64_t row, std::int64_t column) {
  Vector sums[Rows][Vectors];
  for (int a = 0; a < Rows; ++a) {
    for (int v = 0; v < Vectors; ++v) {
      sums[a][v] = zero();
    }
  }
  for (std::int32_t at = task.first_pair[tap]; at < task.first_pair[tap + 1]; ++at) {
    const float* left = task.left + task.pairs[at].left * task.left_position + row;
    const float* right = task.right + task.pairs[at].right * task.right_position + column;
    for (std::int64_t image = 0; image < task.rows; ++image, left += task.left_row, right += task.right_row) {
      Vector columns[Vectors];
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) {
        columns[v] = load(right + v * kWidth);
      }
#pragma GCC unroll 8
      for (int a = 0; a < Rows; ++a) {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
          sums[a][v] += columns[v] * left[a];
        }
      }
    }
  }
  for (int a = 0; a < Rows; ++a) {
    float* to = task.gradient + (tap * task.left_channels + row + a) * task.right_channels + column;
    for (int v = 0; v < Vectors; ++v) {
      store(to + v * kWidth, load(to + v * kWidth) + sums[a][v]);
    }
  }
}

template <int Rows, int Vectors>
inline void outer_rest(const OuterTask& task, std::int64_t tap, std::int64_t row, std::int64_t rest,
                       std::int64_t column) {
  if (rest >= Rows) {
    outer_tile<Rows, Vectors>(task, tap, row, column);
  } else if constexpr (Rows > 1) {
    outer_rest<Rows - 1, Vectors>(task, tap, row, rest, column);
  }
}

template <int Vectors>
void outer_columns(const OuterTask& task, std::int64_t vectors, std::int64_t column) {
  if (vectors == Vectors) {
    for (std::int64_t tap = 0; tap < task.taps; ++tap) {
      for (std::int64_t row = 0; row < task.left_channels; row += kTileRows) {
        outer_rest<kTileRows, Vectors>(task, tap, row, task.left_channels - row, column);
      }
    }
  } else if constexpr (Vectors > 1) {
    outer_columns<Vectors - 1>(task, vectors, column);
  }
}

void outer(const OuterTask& task) {
  const std::int64_t all = task.right_channels / kWidth;
  for (std::int64_t done = 0; done < all; done += kTileVectors) {
    const std::int64_t left = all - done;
    outer_columns<kTileVectors>(task, left < kTileVectors ? left : kTileVectors, done * kWidth);
  }
}

}  // namespace
}  // namespace vaeguard::networks::native
