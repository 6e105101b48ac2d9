// The native kernels with 16-byte vectors (generic).
#define VAEGUARD_VECTOR_BYTES 16
#define VAEGUARD_TILE_ROWS 6
#define VAEGUARD_TILE_VECTORS 2
#include "vaeguard/networks/native/kernels_implementation.h"

namespace vaeguard::networks::native {

const Kernels kGenericKernels{"generic", kWidth,    kTileVectors,    gather,          gather_bfloat16,
                              outer,     depthwise, depthwise_outer, activate_generic};

}  // namespace vaeguard::networks::native
