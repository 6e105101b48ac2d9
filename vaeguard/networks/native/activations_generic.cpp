// Activations with 16-byte vectors (generic).
#define VAEGUARD_VECTOR_BYTES 16
#include "vaeguard/networks/native/activations_implementation.h"

namespace vaeguard::networks::native {

const ActivationKernels kGenericActivations{activate, derive};

}  // namespace vaeguard::networks::native
