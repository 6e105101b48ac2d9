// Lets bfloat16 networks run in a test program on any machine.
#pragma once

#include <cstdlib>

namespace vaeguard::networks {

/// Whether this processor has AVX512-BF16.
inline bool has_bfloat16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

/// Before main: where the processor cannot, bfloat16 is emulated, unless the environment says otherwise.
inline const bool kBfloat16Here = has_bfloat16() || setenv("VAEGUARD_BF16", "emulated", /*overwrite=*/0) == 0;

}  // namespace vaeguard::networks
