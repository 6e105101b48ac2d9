// Bodies of the kernels for any vector width; each kernels_<isa>.cpp includes this once with its own flags.
// Nothing here may instantiate a library template: the linker would keep one instruction set's copy for all.
#include "vaeguard/networks/lanes/kernels.h"

namespace vaeguard::networks::lanes {
namespace {

constexpr int kWidth = VAEGUARD_VECTOR_BYTES / 4;
constexpr int kVectors = static_cast<int>(kLanes) / kWidth;
typedef float Vector __attribute__((vector_size(VAEGUARD_VECTOR_BYTES), may_alias));

inline Vector load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
inline void store(float* to, Vector value) { *reinterpret_cast<Vector*>(to) = value; }

inline Vector zero() { return Vector{}; }

// One block of Width output channels at one position. A single channel is summed in four parts, or the latency of one
// accumulator would be the speed of all.
template <int Width>
inline void gather_block(const GatherTask& task, const float* weights, std::int64_t begin, std::int64_t position) {
  constexpr int kParts = Width == 1 ? 4 : 1;
  Vector sums[kParts][Width][kVectors];
  for (int part = 0; part < kParts; ++part) {
    for (int c = 0; c < Width; ++c) {
      const float start = part == 0 && task.bias != nullptr ? task.bias[position * task.bias_stride + begin + c] : 0.0F;
      for (int v = 0; v < kVectors; ++v) {
        sums[part][c][v] = zero() + start;
      }
    }
  }
  const std::int64_t depth = task.input_channels;
  const std::int64_t whole = depth - depth % kParts;
  for (std::int32_t at = task.first_term[position]; at < task.first_term[position + 1]; ++at) {
    const Term term = task.terms[at];
    const float* x = task.input + term.input * depth * kLanes;
    const float* w = weights + term.tap * depth * Width;
    for (std::int64_t k = 0; k < whole; k += kParts) {
#pragma GCC unroll 4
      for (int part = 0; part < kParts; ++part) {
        Vector inputs[kVectors];
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          inputs[v] = load(x + (k + part) * kLanes + v * kWidth);
        }
#pragma GCC unroll 6
        for (int c = 0; c < Width; ++c) {
#pragma GCC unroll 4
          for (int v = 0; v < kVectors; ++v) {
            sums[part][c][v] += inputs[v] * w[(k + part) * Width + c];
          }
        }
      }
    }
    for (std::int64_t k = whole; k < depth; ++k) {
      for (int c = 0; c < Width; ++c) {
        for (int v = 0; v < kVectors; ++v) {
          sums[0][c][v] += load(x + k * kLanes + v * kWidth) * w[k * Width + c];
        }
      }
    }
  }
  for (int c = 0; c < Width; ++c) {
    const std::int64_t at = (position * task.output_channels + begin + c) * kLanes;
    for (int v = 0; v < kVectors; ++v) {
      Vector sum = sums[0][c][v];
      for (int part = 1; part < kParts; ++part) {
        sum += sums[part][c][v];
      }
      if (task.relu) {
        sum = sum > zero() ? sum : zero();
      }
      if (task.mask != nullptr) {
        sum = load(task.mask + at + v * kWidth) > zero() ? sum : zero();
      }
      store(task.output + at + v * kWidth, sum);
    }
  }
}

template <int Width>
void gather_channels(const GatherTask& task, const float* weights, std::int64_t begin) {
  for (std::int64_t position = 0; position < task.positions; ++position) {
    gather_block<Width>(task, weights, begin, position);
  }
}

void gather(const GatherTask& task) {
  const std::int64_t blocks = block_count(task.output_channels);
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int64_t begin = block_begin(task.output_channels, block);
    const float* weights = task.weights + begin * task.taps * task.input_channels;
    switch (block_begin(task.output_channels, block + 1) - begin) {
      case 1:
        gather_channels<1>(task, weights, begin);
        break;
      case 2:
        gather_channels<2>(task, weights, begin);
        break;
      case 3:
        gather_channels<3>(task, weights, begin);
        break;
      case 4:
        gather_channels<4>(task, weights, begin);
        break;
      case 5:
        gather_channels<5>(task, weights, begin);
        break;
      default:
        gather_channels<6>(task, weights, begin);
        break;
    }
  }
}

// A block of Height left channels x kColumns right channels of one tap's gradient.
template <int Height>
inline void outer_block(const OuterTask& task, std::int64_t tap, std::int64_t row, std::int64_t column) {
  constexpr int kParts = static_cast<int>(kColumns) / kWidth;
  Vector sums[Height][kParts];
  for (int a = 0; a < Height; ++a) {
    for (int v = 0; v < kParts; ++v) {
      sums[a][v] = zero();
    }
  }
  for (std::int32_t at = task.first_pair[tap]; at < task.first_pair[tap + 1]; ++at) {
    const Term pair = task.pairs[at];
    const float* left = task.left + (pair.input * task.left_channels + row) * kLanes;
    const float* right = task.right + pair.tap * kLanes * task.right_channels + column;
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      Vector columns[kParts];
#pragma GCC unroll 4
      for (int v = 0; v < kParts; ++v) {
        columns[v] = load(right + lane * task.right_channels + v * kWidth);
      }
#pragma GCC unroll 6
      for (int a = 0; a < Height; ++a) {
#pragma GCC unroll 4
        for (int v = 0; v < kParts; ++v) {
          sums[a][v] += columns[v] * left[a * kLanes + lane];
        }
      }
    }
  }
  for (int a = 0; a < Height; ++a) {
    float* to = task.gradient + (tap * task.left_channels + row + a) * task.right_channels + column;
    for (int v = 0; v < kParts; ++v) {
      store(to + v * kWidth, load(to + v * kWidth) + sums[a][v]);
    }
  }
}

void outer(const OuterTask& task) {
  const std::int64_t blocks = block_count(task.left_channels);
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int64_t row = block_begin(task.left_channels, block);
    const std::int64_t height = block_begin(task.left_channels, block + 1) - row;
    for (std::int64_t column = 0; column < task.right_channels; column += kColumns) {
      for (std::int64_t tap = 0; tap < task.taps; ++tap) {
        switch (height) {
          case 1:
            outer_block<1>(task, tap, row, column);
            break;
          case 2:
            outer_block<2>(task, tap, row, column);
            break;
          case 3:
            outer_block<3>(task, tap, row, column);
            break;
          case 4:
            outer_block<4>(task, tap, row, column);
            break;
          case 5:
            outer_block<5>(task, tap, row, column);
            break;
          default:
            outer_block<6>(task, tap, row, column);
            break;
        }
      }
    }
  }
}

}  // namespace
}  // namespace vaeguard::networks::lanes
