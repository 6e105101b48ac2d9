// Repair under Gaussian noise by encoder and pixel law: images as they probably were, and how large the noise is.
#pragma once

#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::defences {

struct NoiseRepairOptions {
  int passes = 4;           // each an encoding and a decoding
  bool finds_noise = true;  // else its size is not sought, which costs more than the passes
};

/// What encoder and pixel law alone make of images under noise: neither gradient nor chain.
struct NoiseRepaired {
  Matrix images;              // [B, C*H*W] as they probably were before the noise
  std::vector<double> noise;  // [B] standard deviation of what is between them and the given ones; empty if not sought
};

/// Alternates between the true image expected under noise of a latent code and the code that the encoder gives it, the
/// encoder in the place of the posterior. The first image is expected from the histogram of all pixels, since an attack
/// has spoilt the code. At the last code the noise's most probable size is sought by expectation maximisation. Throws
/// Misuse where the VAE has no pixel law.
NoiseRepaired repair_noise(const models::Vae& vae, const Matrix& images, const NoiseRepairOptions& options,
                           int threads);

}  // namespace vaeguard::defences
