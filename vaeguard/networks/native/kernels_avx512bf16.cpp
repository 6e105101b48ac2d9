// The native kernels with 64-byte vectors and the processor's own bfloat16 products (avx512bf16).
#include <immintrin.h>

#define VAEGUARD_VECTOR_BYTES 64
#define VAEGUARD_TILE_ROWS 8
#define VAEGUARD_TILE_VECTORS 3
#define VAEGUARD_BFLOAT16_PRODUCTS
#include "vaeguard/networks/native/kernels_implementation.h"

namespace vaeguard::networks::native {

const Kernels kAvx512Bfloat16Kernels{"avx512bf16", kWidth,    kTileVectors,    gather,         gather_bfloat16,
                                     outer,        depthwise, depthwise_outer, activate_avx512};

}  // namespace vaeguard::networks::native
