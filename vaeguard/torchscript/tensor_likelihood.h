// Likelihoods of whole batches as libtorch calls on any device; for the sources of this folder only.
#pragma once

#include <torch/torch.h>

#include <functional>

#include "vaeguard/models/likelihood.h"

namespace vaeguard::torchscript {

/// What models/likelihood.h computes on the host, for parameters and images [n, P] on one device.
struct TensorLikelihood {
  using Of = std::function<torch::Tensor(const torch::Tensor& parameters, const torch::Tensor& images)>;
  Of negative_log;  // -log p of each row [n], from parameters in double
  Of gradient;      // by the parameters [n, P]
};

/// Throws Misuse for a likelihood that has no such form.
TensorLikelihood tensor_likelihood(const models::Likelihood& likelihood);

}  // namespace vaeguard::torchscript
