// The lanes kernels with 32-byte vectors (avx2).
#define VAEGUARD_VECTOR_BYTES 32
#include "vaeguard/networks/lanes/kernels_implementation.h"

namespace vaeguard::networks::lanes {

const Kernels kAvx2Kernels{"avx2", gather, outer};

}  // namespace vaeguard::networks::lanes
