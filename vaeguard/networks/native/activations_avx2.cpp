// Activations with 32-byte vectors (avx2).
#define VAEGUARD_VECTOR_BYTES 32
#include "vaeguard/networks/native/activations_implementation.h"

namespace vaeguard::networks::native {

const ActivationKernels kAvx2Activations{activate, derive};

}  // namespace vaeguard::networks::native
