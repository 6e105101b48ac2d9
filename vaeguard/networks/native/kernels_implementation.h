// Bodies of the kernels for any vector width; each kernels_<isa>.cpp includes this once with its own flags.
// Nothing here may instantiate a library template: the linker would keep one instruction set's copy for all.
#include "vaeguard/networks/native/bfloat16.h"
#include "vaeguard/networks/native/kernels.h"

namespace vaeguard::networks::native {
namespace {

constexpr std::int64_t kWidth = VAEGUARD_VECTOR_BYTES / 4;
// A tile of kTileRows x kTileVectors accumulators fills the registers: 12 of 16 with AVX2, 24 of 32 with AVX-512, which
// leaves room for the weights. Each step loads the vectors of weights and broadcasts one value per row, fewer loads
// than multiply-adds.
constexpr int kTileRows = VAEGUARD_TILE_ROWS;
constexpr int kTileVectors = VAEGUARD_TILE_VECTORS;
typedef float Vector __attribute__((vector_size(VAEGUARD_VECTOR_BYTES)));
// The type of loads and stores at the address of any float. No variable may have this type: clang would give it the
// alignment of a float and then move it as if it had a vector's.
typedef float UnalignedVector __attribute__((vector_size(VAEGUARD_VECTOR_BYTES), aligned(4), may_alias));

inline Vector load(const float* from) { return *reinterpret_cast<const UnalignedVector*>(from); }
inline void store(float* to, Vector value) { *reinterpret_cast<UnalignedVector*>(to) = value; }
inline Vector zero() { return Vector{}; }

// A pair of bfloat16 values, k and k + 1, in 32 bits: value k in the lower half.
typedef std::uint32_t Bits __attribute__((vector_size(VAEGUARD_VECTOR_BYTES)));
typedef std::uint16_t Halves __attribute__((vector_size(VAEGUARD_VECTOR_BYTES / 2)));
typedef std::uint16_t UnalignedHalves __attribute__((vector_size(VAEGUARD_VECTOR_BYTES / 2), aligned(2), may_alias));
typedef std::uint32_t Pair __attribute__((aligned(4), may_alias));

inline Vector load_halves(const Half* from) {
  return reinterpret_cast<Vector>(__builtin_convertvector(*reinterpret_cast<const UnalignedHalves*>(from), Bits) << 16);
}

#ifdef VAEGUARD_BFLOAT16_PRODUCTS
inline Vector add_pairs(Vector sum, Vector columns, Pair value) {
  const __m512i values = _mm512_set1_epi32(static_cast<int>(value));
  return reinterpret_cast<Vector>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(columns),
                                                   reinterpret_cast<__m512bh>(values)));
}
inline void store_halves(Half* to, Vector value) {
  const __m256bh halves = _mm512_cvtneps_pbh(reinterpret_cast<__m512>(value));
  __builtin_memcpy(to, &halves, sizeof(halves));
}
#else
inline Vector add_pairs(Vector sum, Vector columns, Pair value) {
  const Bits bits = reinterpret_cast<Bits>(columns);
  sum += reinterpret_cast<Vector>(bits & 0xFFFF0000U) * __builtin_bit_cast(float, value & 0xFFFF0000U);
  return sum + reinterpret_cast<Vector>(bits << 16) * __builtin_bit_cast(float, value << 16);
}
inline void store_halves(Half* to, Vector value) {
  const Bits bits = reinterpret_cast<Bits>(value);
  const Bits rounded = value == value ? bits + 0x7FFFU + ((bits >> 16) & 1U) : bits | 0x400000U;
  *reinterpret_cast<UnalignedHalves*>(to) = __builtin_convertvector(rounded >> 16, Halves);
}
#endif

// The types of a product's inputs and weights.
template <Element>
struct Lying {
  using Value = float;
};
template <>
struct Lying<Element::bfloat16> {
  using Value = Half;
};

inline Vector load_mask(const GatherTask& task, std::int64_t at) {
  return task.mask_element == Element::float32 ? load(static_cast<const float*>(task.mask) + at)
                                               : load_halves(static_cast<const Half*>(task.mask) + at);
}

inline float mask_value(const GatherTask& task, std::int64_t at) {
  return task.mask_element == Element::float32 ? static_cast<const float*>(task.mask)[at]
                                               : to_float(static_cast<const Half*>(task.mask)[at]);
}

// Activation, mask, rounding and accumulation of one vector; `valid` of its columns exist.
inline void finish(const GatherTask& task, std::int64_t at, std::int64_t valid, Vector sum) {
  float* floats = static_cast<float*>(task.output) + at;
  Half* halves = static_cast<Half*>(task.output) + at;
  if (task.relu) {
    sum = sum > zero() ? sum : zero();
  }
  if (valid >= kWidth) {
    if (task.mask != nullptr) {
      sum = load_mask(task, at) > zero() ? sum : zero();
    }
    if (task.output_element == Element::bfloat16) {
      store_halves(halves, sum);
    } else {
      store(floats, task.accumulate ? load(floats) + sum : sum);
    }
    return;
  }
  for (std::int64_t c = 0; c < valid; ++c) {
    const float value = task.mask == nullptr || mask_value(task, at + c) > 0.0F ? sum[c] : 0.0F;
    if (task.output_element == Element::bfloat16) {
      halves[c] = to_bfloat16(value);
    } else {
      floats[c] = task.accumulate ? floats[c] + value : value;
    }
  }
}

// sums[r][v] += the products of `depth` values of row r with the columns of vector v, for floats,
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void add_products(const float* weights, std::int64_t depth, const float* const (&x)[Rows],
                                                Vector (&sums)[Rows][Vectors]) {
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector columns[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      columns[v] = load(weights + (k * Vectors + v) * kWidth);
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

// and for pairs of bfloat16.
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void add_products(const Half* weights, std::int64_t depth, const Half* const (&x)[Rows],
                                                Vector (&sums)[Rows][Vectors]) {
  for (std::int64_t k = 0; k < depth / 2; ++k) {
    Vector columns[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      columns[v] = load(reinterpret_cast<const float*>(weights) + (k * Vectors + v) * kWidth);
    }
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const Pair value = *(reinterpret_cast<const Pair*>(x[r]) + k);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) {
        sums[r][v] = add_pairs(sums[r][v], columns[v], value);
      }
    }
  }
}

// Rows x Vectors results of one class from its element `first` on; element m is position m % positions of row
// m / positions.
template <Element element, int Rows, int Vectors>
inline void gather_tile(const GatherTask& task, const PositionClass& c, std::int64_t first, std::int64_t column,
                        const typename Lying<element>::Value* weights) {
  using Value = typename Lying<element>::Value;
  const Value* inputs[Rows];
  const std::int32_t* offsets[Rows];
  std::int64_t outputs[Rows];
  Vector sums[Rows][Vectors];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
    const std::int64_t row = (first + r) / c.positions;
    const std::int64_t i = (first + r) % c.positions;
    const std::int64_t position = task.positions[c.first_position + i];
    inputs[r] = static_cast<const Value*>(task.input) + row * task.input_stride;
    offsets[r] = task.offsets + c.first_offset + i * c.terms;
    outputs[r] = row * task.output_stride + position * task.position_stride + column;
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      sums[r][v] = task.bias == nullptr ? zero() : load(task.bias + position * task.bias_stride + column + v * kWidth);
    }
  }
  for (std::int32_t j = 0; j < c.terms; ++j) {
    const Term term = task.terms[c.first_term + j];
    const Value* x[Rows];
    for (int r = 0; r < Rows; ++r) {
      x[r] = inputs[r] + offsets[r][j];
    }
    add_products(weights + term.weight_row * Vectors * kWidth, term.depth, x, sums);
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      finish(task, outputs[r] + v * kWidth, task.channels - column - v * kWidth, sums[r][v]);
    }
  }
}

// The remainder of a class after its whole tiles, as one smaller tile.
template <Element element, int Rows, int Vectors>
inline void gather_rest(const GatherTask& task, const PositionClass& c, std::int64_t first, std::int64_t rest,
                        std::int64_t column, const typename Lying<element>::Value* weights) {
  if (rest == Rows) {
    gather_tile<element, Rows, Vectors>(task, c, first, column, weights);
  } else if constexpr (Rows > 1) {
    gather_rest<element, Rows - 1, Vectors>(task, c, first, rest, column, weights);
  }
}

template <Element element, int Vectors>
void gather_block(const GatherTask& task, std::int64_t column, const typename Lying<element>::Value* weights) {
  for (std::int64_t i = 0; i < task.classes; ++i) {
    const PositionClass& c = task.first_class[i];
    const std::int64_t elements = task.rows * c.positions;
    std::int64_t first = 0;
    for (; first + kTileRows <= elements; first += kTileRows) {
      gather_tile<element, kTileRows, Vectors>(task, c, first, column, weights);
    }
    gather_rest<element, kTileRows, Vectors>(task, c, first, elements - first, column, weights);
  }
}

template <Element element, int Vectors>
void gather_columns(const GatherTask& task, std::int64_t vectors, std::int64_t column) {
  if (vectors == Vectors) {
    gather_block<element, Vectors>(
        task, column, static_cast<const typename Lying<element>::Value*>(task.weights) + column * task.depth);
  } else if constexpr (Vectors > 1) {
    gather_columns<element, Vectors - 1>(task, vectors, column);
  }
}

template <Element element>
void gather_elements(const GatherTask& task) {
  const std::int64_t all = (task.channels + kWidth - 1) / kWidth;
  for (std::int64_t done = 0; done < all; done += kTileVectors) {
    const std::int64_t left = all - done;
    gather_columns<element, kTileVectors>(task, left < kTileVectors ? left : kTileVectors, done * kWidth);
  }
}

void gather(const GatherTask& task) { gather_elements<Element::float32>(task); }
void gather_bfloat16(const GatherTask& task) { gather_elements<Element::bfloat16>(task); }

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

#include "vaeguard/networks/native/depthwise_implementation.h"
