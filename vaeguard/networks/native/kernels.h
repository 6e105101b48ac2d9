// The inner loops of the native backend, compiled once per instruction set and chosen at run time.
#pragma once

#include <cstdint>

#include "vaeguard/networks/native/activations.h"

namespace vaeguard::networks::native {

/// How values lie in memory. bfloat16 is the upper half of a float, rounded to nearest, ties to even.
enum class Element : std::uint8_t { float32, bfloat16 };

/// Positions that read the same taps, so that one tile of the kernel may hold several of them.
struct PositionClass {
  std::int32_t first_term = 0;
  std::int32_t terms = 0;
  std::int32_t first_position = 0;
  std::int32_t positions = 0;
  std::int32_t first_offset = 0;  // of its [positions][terms] input offsets
};

/// A run of values that are contiguous both in the input and in the packed weights.
struct Term {
  std::int32_t weight_row = 0;
  std::int32_t depth = 0;
};

/// output[row, p, c] = f(bias[p, c] + sum over terms j of p and k of input[row, offset[p, j] + k] * weights[j + k, c]):
/// a matrix product whose left side is gathered and has a row for each position of each image. Activations are stored
/// as [row][position][channel]. Each output is one sum in a fixed order, so a row's result does not depend on the other
/// rows. Strides and offsets count values. Inputs are floats for Kernels::gather and bfloat16 for
/// Kernels::gather_bfloat16, where depths, weight rows and offsets are even.
struct GatherTask {
  std::int64_t rows = 0;
  std::int64_t classes = 0;
  const PositionClass* first_class = nullptr;
  const Term* terms = nullptr;
  const std::int32_t* positions = nullptr;  // output position, in the order of the classes
  const std::int32_t* offsets = nullptr;    // of a term's first value, from the start of a row
  std::int64_t depth = 0;                   // rows of the packed weights
  std::int64_t channels = 0;                // columns of the product
  /// Per block of columns: floats [depth][columns of the block], or bfloat16 [depth / 2][columns of the block][2].
  const void* weights = nullptr;
  const float* bias = nullptr;  // [columns, padded to whole vectors] at bias + p * bias_stride; null: none
  std::int64_t bias_stride = 0;
  const void* input = nullptr;
  std::int64_t input_stride = 0;  // from row to row
  void* output = nullptr;         // position p of a row begins at output + p * position_stride
  Element output_element = Element::float32;
  std::int64_t output_stride = 0;
  std::int64_t position_stride = 0;
  bool relu = false;
  const void* mask = nullptr;  // laid out like output: results are zeroed where it is not > 0; null: none
  Element mask_element = Element::float32;
  const float* slopes = nullptr;  // laid out like output: results are multiplied by them; null: none
  bool accumulate = false;        // adds to the output, which must be floats, instead of storing
  /// Applied to the results, of which every vector must be whole; its derivatives go to `derivatives`, laid out like
  /// output. Null: none.
  const Function* function = nullptr;
  Activate* activate = nullptr;
  float* derivatives = nullptr;
};

/// gradient[t, a, b] += sum over rows and pairs (p, q) of tap t of left[row, p, a] * right[row, q, b].
struct OuterTask {
  struct Pair {
    std::int32_t left;
    std::int32_t right;
  };
  std::int64_t rows = 0;
  std::int64_t taps = 0;
  const std::int32_t* first_pair = nullptr;  // [taps + 1]
  const Pair* pairs = nullptr;               // positions
  std::int64_t left_channels = 0;
  std::int64_t right_channels = 0;  // a multiple of the vector width
  const float* left = nullptr;
  std::int64_t left_row = 0;  // floats from row to row, from position to position
  std::int64_t left_position = 0;
  const float* right = nullptr;
  std::int64_t right_row = 0;
  std::int64_t right_position = 0;
  float* gradient = nullptr;  // [tap][left channels][right channels]
};

/// Depthwise products take the same tasks, with every channel by itself. Forward, a term is one tap with a row of
/// weights:
///   output[row, p, c] = f(bias[p, c] + sum over terms j of p of input[row, offset[p, j] + c] * weights[j, c])
/// and for weights
///   gradient[t, c] += sum over rows and pairs (p, q) of tap t of left[row, p, c] * right[row, q, c],
/// where `left_channels` is 1. All positions of a class read their terms at the same distances. Whole vectors are read,
/// so one more vector of memory must follow the inputs (AlignedFloats).

/// The kernels of one instruction set.
struct Kernels {
  const char* name;
  std::int64_t width;    // floats per vector
  std::int64_t vectors;  // vectors per block of columns; the last block of a product may have fewer
  void (*gather)(const GatherTask&);
  void (*gather_bfloat16)(const GatherTask&);
  void (*outer)(const OuterTask&);
  void (*depthwise)(const GatherTask&);
  void (*depthwise_outer)(const OuterTask&);
  Activate* activate;
};

extern const Kernels kGenericKernels;
extern const Kernels kEmulated512Kernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
extern const Kernels kAvx512Bfloat16Kernels;
#endif

/// The best kernels for this processor; VAEGUARD_ISA (generic, avx2, avx512, emulated512) selects others.
const Kernels& select_kernels();

/// The kernels that run bfloat16 networks, or null and the reason why there are none. VAEGUARD_BF16=emulated takes
/// those of select_kernels(), which round the same way but are slower than float32; for tests.
struct Bfloat16Kernels {
  const Kernels* kernels;
  const char* refusal;
};
const Bfloat16Kernels& select_bfloat16_kernels();

}  // namespace vaeguard::networks::native
