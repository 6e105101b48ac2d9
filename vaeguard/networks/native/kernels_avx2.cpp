// The native kernels with 32-byte vectors (avx2).
#define VAEGUARD_VECTOR_BYTES 32
#define VAEGUARD_TILE_ROWS 6
#define VAEGUARD_TILE_VECTORS 2
#include "vaeguard/networks/native/kernels_implementation.h"

namespace vaeguard::networks::native {

const Kernels kAvx2Kernels{"avx2", kWidth,    kTileVectors,    gather,       gather_bfloat16,
                           outer,  depthwise, depthwise_outer, activate_avx2};

}  // namespace vaeguard::networks::native
