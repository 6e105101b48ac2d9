// The lanes kernels with 64-byte vectors (avx512).
#define VAEGUARD_VECTOR_BYTES 64
#include "vaeguard/networks/lanes/kernels_implementation.h"

namespace vaeguard::networks::lanes {

const Kernels kAvx512Kernels{"avx512", gather, outer};

}  // namespace vaeguard::networks::lanes
