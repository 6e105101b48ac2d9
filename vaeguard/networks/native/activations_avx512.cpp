// Activations with 64-byte vectors (avx512).
#define VAEGUARD_VECTOR_BYTES 64
#include "vaeguard/networks/native/activations_implementation.h"

namespace vaeguard::networks::native {

void activate_avx512(const Function& f, const Runs& runs, const float* x, float* y, float* slopes) {
  activate(f, runs, x, y, slopes);
}

}  // namespace vaeguard::networks::native
