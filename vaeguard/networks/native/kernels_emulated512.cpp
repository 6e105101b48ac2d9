// The shapes of the AVX-512 kernels in the instructions that every processor has, so that tests run them anywhere.
#define VAEGUARD_VECTOR_BYTES 64
#define VAEGUARD_TILE_ROWS 8
#define VAEGUARD_TILE_VECTORS 3
#include "vaeguard/networks/native/kernels_implementation.h"

namespace vaeguard::networks::native {

const Kernels kEmulated512Kernels{"emulated512", kWidth,    kTileVectors,    gather,          gather_bfloat16,
                                  outer,         depthwise, depthwise_outer, activate_generic};

}  // namespace vaeguard::networks::native
