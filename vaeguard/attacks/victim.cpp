// The undefended encoder as a victim.
#include "vaeguard/attacks/victim.h"

namespace vaeguard::attacks {

void UndefendedVictim::forward(const Matrix& images, std::span<const Key> /*keys*/, Matrix& outputs,
                               networks::Tape& tape) const {
  recognition_.forward(images, recognition_.latents().count(), outputs, tape);
}

void UndefendedVictim::backward(const Matrix& output_gradients, Matrix& image_gradients, networks::Tape& tape) const {
  recognition_.backward(output_gradients, image_gradients, tape);
}

}  // namespace vaeguard::attacks
