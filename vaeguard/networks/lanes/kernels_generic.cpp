// The lanes kernels with 16-byte vectors (generic).
#define VAEGUARD_VECTOR_BYTES 16
#include "vaeguard/networks/lanes/kernels_implementation.h"

namespace vaeguard::networks::lanes {

const Kernels kGenericKernels{"generic", gather, outer};

}  // namespace vaeguard::networks::lanes
