// Exports models as TorchScript: encoder.pt and decoder.pt for Python and C++ users of PyTorch.
#pragma once

#include <filesystem>

#include "vaeguard/models/vae.h"

namespace vaeguard::torchscript {

/// Writes into `folder` (made if missing)
///   encoder.pt: image [B, C, H, W] -> (mean [B, D], log-variance [B, D])
///   decoder.pt: latent [B, D] -> the likelihood's parameters [B, C, H, W], logits for Bernoulli, means for Gaussian
/// A learned prior is not written. Both keep their weights as parameters, so they can be fine-tuned or moved to a GPU.
void export_torchscript(const models::VaeWeights& vae, const std::filesystem::path& folder);

}  // namespace vaeguard::torchscript
