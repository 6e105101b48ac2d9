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

// What finish() does, for a row of results from `at` on of which only `columns` exist.
[[gnu::noinline]] void finish_some(const GatherTask& task, std::int64_t at, std::int64_t columns, const float* sums) {
  for (std::int64_t c = 0; c < columns; ++c, ++at) {
    const bool silent = (task.relu && !(sums[c] > 0.0F)) || (task.mask != nullptr && !(mask_value(task, at) > 0.0F));
    const float value = silent ? 0.0F : task.slopes == nullptr ? sums[c] : sums[c] * task.slopes[at];
    if (task.output_element == Element::bfloat16) {
      static_cast<Half*>(task.output)[at] = to_bfloat16(value);
    } else {
      float* to = static_cast<float*>(task.output) + at;
      *to = task.accumulate ? *to + value : value;
    }
  }
}

// sums[r][v] = call(sums[r][v], where it lies in the output)
template <int Rows, int Vectors, typename Call>
[[gnu::always_inline]] inline void update(Vector (&sums)[Rows][Vectors], const std::int64_t (&outputs)[kTileRows],
                                          Call call) {
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      sums[r][v] = call(sums[r][v], outputs[r] + v * kWidth);
    }
  }
}

// Activation, mask, rounding and accumulation of a tile's results, from the registers to the output.
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void finish(const GatherTask& task, std::int64_t columns,
                                          const std::int64_t (&outputs)[kTileRows], Vector (&sums)[Rows][Vectors]) {
  if (columns < Vectors * kWidth) {
    float values[Vectors * kWidth];
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) {
        store(values + v * kWidth, sums[r][v]);
      }
      finish_some(task, outputs[r], columns, values);
    }
    return;
  }
  float* output = static_cast<float*>(task.output);
  if (task.relu) {
    update(sums, outputs, [](Vector sum, std::int64_t) { return sum > zero() ? sum : zero(); });
  }
  if (task.mask != nullptr) {
    update(sums, outputs, [&](Vector sum, std::int64_t at) { return load_mask(task, at) > zero() ? sum : zero(); });
  }
  // One expression for each case: whether the compiler fuses it does not depend on the number of rows.
  if (task.slopes != nullptr && task.accumulate) {
    update(sums, outputs,
           [&](Vector sum, std::int64_t at) { return load(output + at) + sum * load(task.slopes + at); });
  } else if (task.slopes != nullptr) {
    update(sums, outputs, [&](Vector sum, std::int64_t at) { return sum * load(task.slopes + at); });
  } else if (task.accumulate) {
    update(sums, outputs, [&](Vector sum, std::int64_t at) { return load(output + at) + sum; });
  }
  if (task.output_element == Element::bfloat16) {
    update(sums, outputs, [&](Vector sum, std::int64_t at) {
      store_halves(static_cast<Half*>(task.output) + at, sum);
      return sum;
    });
    return;
  }
  update(sums, outputs, [&](Vector sum, std::int64_t at) {
    store(output + at, sum);
    return sum;
  });
  if (task.function != nullptr) {
    task.activate(*task.function, {.length = Vectors * kWidth, .count = Rows, .first = outputs}, output, output,
                  task.derivatives);
  }
}

// Where the rows of a tile lie, and where the next tile of its class begins: element m of a class is position
// m % positions of row m / positions. This stays in memory and leaves the registers to the sums.
struct Places {
  std::int64_t inputs[kTileRows];  // the row
  const std::int32_t* offsets[kTileRows];
  std::int64_t outputs[kTileRows];
  std::int64_t biases[kTileRows];
  std::int64_t next = 0;  // in the order of the class
  std::int64_t next_input = 0;
  std::int64_t next_output = 0;
};

// Moves on to the next `rows` elements, for `vectors` columns from `column` on. Derivatives, which the tile reads or
// writes at its end, are kept for whole batches and far away: they are fetched while it computes.
[[gnu::noinline]] void move_on(const GatherTask& task, const PositionClass& c, int rows, std::int64_t column,
                               int vectors, Places& places) {
  std::int64_t i = places.next;
  const std::int32_t* positions = task.positions + c.first_position;
  const std::int32_t* offsets = task.offsets + c.first_offset + i * c.terms;
  for (int r = 0; r < rows; ++r) {
    places.inputs[r] = places.next_input;
    places.offsets[r] = offsets;
    places.outputs[r] = places.next_output + positions[i] * task.position_stride + column;
    places.biases[r] = positions[i] * task.bias_stride + column;
    offsets += c.terms;
    if (++i == c.positions) {
      i = 0;
      offsets = task.offsets + c.first_offset;
      places.next_input += task.input_stride;
      places.next_output += task.output_stride;
    }
  }
  places.next = i;
  const float* derivatives = task.slopes != nullptr ? task.slopes : task.derivatives;
  for (int r = 0; derivatives != nullptr && r < rows; ++r) {
    for (int v = 0; v < vectors; ++v) {
      __builtin_prefetch(derivatives + places.outputs[r] + v * kWidth);
    }
  }
}

template <int Rows, int Vectors>
[[gnu::always_inline]] inline void start(const GatherTask& task, const Places& places, Vector (&sums)[Rows][Vectors]) {
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      sums[r][v] = task.bias == nullptr ? zero() : load(task.bias + places.biases[r] + v * kWidth);
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

// The next Rows x Vectors results of one class.
template <Element element, int Rows, int Vectors>
inline void gather_tile(const GatherTask& task, const PositionClass& c, std::int64_t column,
                        const typename Lying<element>::Value* weights, Places& places) {
  using Value = typename Lying<element>::Value;
  move_on(task, c, Rows, column, Vectors, places);
  Vector sums[Rows][Vectors];
  start(task, places, sums);
  for (std::int32_t j = 0; j < c.terms; ++j) {
    const Term term = task.terms[c.first_term + j];
    const Value* x[Rows];
    for (int r = 0; r < Rows; ++r) {
      x[r] = static_cast<const Value*>(task.input) + places.inputs[r] + places.offsets[r][j];
    }
    add_products(weights + term.weight_row * Vectors * kWidth, term.depth, x, sums);
  }
  finish(task, task.channels - column, places.outputs, sums);
}

// The remainder of a class after its whole tiles, as one smaller tile.
template <Element element, int Rows, int Vectors>
inline void gather_rest(const GatherTask& task, const PositionClass& c, std::int64_t rest, std::int64_t column,
                        const typename Lying<element>::Value* weights, Places& places) {
  if (rest == Rows) {
    gather_tile<element, Rows, Vectors>(task, c, column, weights, places);
  } else if constexpr (Rows > 1) {
    gather_rest<element, Rows - 1, Vectors>(task, c, rest, column, weights, places);
  }
}

template <Element element, int Vectors>
void gather_block(const GatherTask& task, std::int64_t column, const typename Lying<element>::Value* weights) {
  for (std::int64_t i = 0; i < task.classes; ++i) {
    const PositionClass& c = task.first_class[i];
    Places places;
    std::int64_t left = task.rows * c.positions;
    for (; left >= kTileRows; left -= kTileRows) {
      gather_tile<element, kTileRows, Vectors>(task, c, column, weights, places);
    }
    gather_rest<element, kTileRows, Vectors>(task, c, left, column, weights, places);
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
