// A forward pass at the recorded inputs, then the tangent pass.
#include "vaeguard/networks/tangent_fallback.h"

#include "vaeguard/networks/native/native_network.h"

namespace vaeguard::networks {

void TangentFallback::tangent(const Matrix& input_tangents, Matrix& output_tangents, Memory& memory) const {
  std::call_once(once_, [this] { network_ = native_backend().compile(graph_); });
  if (memory.tape == nullptr) {
    memory.tape = network_->make_tape();
  }
  Matrix outputs;
  network_->forward(memory.inputs, outputs, *memory.tape);
  network_->tangent(input_tangents, output_tangents, *memory.tape);
}

}  // namespace vaeguard::networks
