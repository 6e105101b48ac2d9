// One bfloat16 value: the upper half of a float.
#pragma once

#include <cstdint>

namespace vaeguard::networks::native {

/// Two of them fit into the memory of a float.
typedef std::uint16_t Half __attribute__((may_alias));

// Kernels are compiled once per instruction set: `static`, so that each keeps its own copy.

[[maybe_unused]] static inline float to_float(Half half) {
  return __builtin_bit_cast(float, static_cast<std::uint32_t>(half) << 16);
}

/// Rounds to nearest, ties to even; NaN stays NaN.
[[maybe_unused]] static inline Half to_bfloat16(float value) {
  const auto bits = __builtin_bit_cast(std::uint32_t, value);
  const std::uint32_t rounded = bits + 0x7FFFU + ((bits >> 16) & 1U);
  return static_cast<Half>((value == value ? rounded : bits | 0x400000U) >> 16);
}

}  // namespace vaeguard::networks::native
