// Activations with 16-byte vectors (generic).
#define VAEGUARD_VECTOR_BYTES 16
#include "vaeguard/networks/native/activations_implementation.h"

namespace vaeguard::networks::native {

void activate_generic(const Function& f, const Runs& runs, const float* x, float* y, float* slopes) {
  activate(f, runs, x, y, slopes);
}

}  // namespace vaeguard::networks::native
