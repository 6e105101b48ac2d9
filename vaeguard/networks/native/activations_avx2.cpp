// Activations with 32-byte vectors (avx2).
#define VAEGUARD_VECTOR_BYTES 32
#include "vaeguard/networks/native/activations_implementation.h"

namespace vaeguard::networks::native {

void activate_avx2(const Function& f, const Runs& runs, const float* x, float* y, float* slopes) {
  activate(f, runs, x, y, slopes);
}

}  // namespace vaeguard::networks::native
