// The native kernels with 64-byte vectors (avx512).
#define VAEGUARD_VECTOR_BYTES 64
#define VAEGUARD_TILE_ROWS 8
#define VAEGUARD_TILE_VECTORS 3
#include "vaeguard/networks/native/kernels_implementation.h"

namespace vaeguard::networks::native {

const Kernels kAvx512Kernels{"avx512", kWidth,    kTileVectors,    gather,         gather_bfloat16,
                             outer,    depthwise, depthwise_outer, activate_avx512};

}  // namespace vaeguard::networks::native
