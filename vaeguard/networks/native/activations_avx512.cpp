// Activations with 64-byte vectors (avx512).
#define VAEGUARD_VECTOR_BYTES 64
#include "vaeguard/networks/native/activations_implementation.h"

namespace vaeguard::networks::native {

const ActivationKernels kAvx512Activations{activate, derive};

}  // namespace vaeguard::networks::native
