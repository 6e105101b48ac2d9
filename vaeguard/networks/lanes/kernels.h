// The inner loops of the lanes backend, compiled once per instruction set and chosen at run time.
#pragma once

#include <cstdint>

namespace vaeguard::networks::lanes {

/// Images or chains side by side in one group. Activations of a group lie as [position][channel][kLanes].
constexpr std::int64_t kLanes = 16;
/// Output channels computed together: 6 channels x 16 lanes fill AVX2's registers with 12 accumulators.
constexpr std::int64_t kBlock = 6;
/// The vectorised side of a weight gradient comes in blocks of this many channels.
constexpr std::int64_t kColumns = 16;

/// One multiply of an output position: the input position and where its tap's weights begin.
struct Term {
  std::int32_t input;
  std::int32_t tap;
};

/// sums[p, c] = bias[p, c] + sum over terms (i, t) of p and channels k of weights[t, k, c] * input[i, k], for one
/// group.
struct GatherTask {
  std::int64_t positions;          // of the output
  const std::int32_t* first_term;  // [positions + 1]
  const Term* terms;
  std::int64_t taps;
  std::int64_t input_channels;
  std::int64_t output_channels;
  const float* weights;      // per block of output channels: [tap][input channel][channel of the block]
  const float* bias;         // [output channels] at bias + p * bias_stride; null for none
  std::int64_t bias_stride;  // 0 where all positions share one bias
  bool relu;
  const float* mask;  // [position][channel][kLanes]: results are zeroed where it is not > 0; null for none
  const float* input;
  float* output;
};

/// gradient[t, a, b] += sum over pairs (p, q) of tap t and lanes of left[p, a, lane] * right[q, lane, b].
struct OuterTask {
  std::int64_t taps;
  const std::int32_t* first_pair;  // [taps + 1]
  const Term* pairs;               // {left position, right position}
  std::int64_t left_channels;
  std::int64_t right_channels;  // padded to a multiple of kColumns
  const float* left;            // [position][left channels][kLanes]
  const float* right;           // [position][kLanes][right channels]
  float* gradient;              // [tap][left channels][right channels]
};

/// The kernels of one instruction set.
struct Kernels {
  const char* name;
  void (*gather)(const GatherTask&);
  void (*outer)(const OuterTask&);
};

/// The widths into which `channels` outputs are split, as even as can be, at most kBlock each; -> number of blocks.
inline std::int64_t block_count(std::int64_t channels) { return (channels + kBlock - 1) / kBlock; }
inline std::int64_t block_begin(std::int64_t channels, std::int64_t block) {
  return channels * block / block_count(channels);
}

extern const Kernels kGenericKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif

/// The best kernels of this processor; VAEGUARD_ISA (generic, avx2, avx512) picks others.
const Kernels& select_kernels();

}  // namespace vaeguard::networks::lanes
