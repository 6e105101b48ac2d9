// Distances between latent codes: the symmetric KL divergence of encodings and the Euclidean distance.
#pragma once

#include <vector>

#include "vaeguard/base/matrix.h"

namespace vaeguard::metrics {

/// Symmetric KL divergence (KL(p||q) + KL(q||p)) / 2 of two diagonal Gaussians for each row, with D = logvar_p -
/// logvar_q:
///   sum over latents of (exp(D) + exp(-D) + (mean_p - mean_q)^2 (exp(-logvar_p) + exp(-logvar_q))) / 4 - 1/2.
/// All four are [B, latents]. Zero exactly where the encodings agree; overflow gives infinity, which is data.
std::vector<double> symmetric_kl(const Matrix& mean_p, const Matrix& logvar_p, const Matrix& mean_q,
                                 const Matrix& logvar_q);

/// Euclidean distance of each pair of rows of a and b, [B, latents].
std::vector<double> latent_distance(const Matrix& a, const Matrix& b);

}  // namespace vaeguard::metrics
