// The total correlation of a mini-batch's codes, which beta-TCVAE penalises, and its gradient.
#pragma once

#include <cstdint>
#include <string_view>

#include "vaeguard/base/matrix.h"

namespace vaeguard::training {

/// How q(z) = 1/N sum_n q(z|x_n), a mixture over all N training images, is estimated from the B images of a mini-batch.
/// weighted ("mws", Chen et al. 2018, eq. 5): q(z_i) = 1/(N B) sum_j q(z_i|x_j). Biased; the bias of the total
/// correlation's value is about (D - 1) log N nats, and hardly affects the gradient.
/// stratified ("mss", appendix C.2 there): unbiased for q. The sample's own component has weight 1/N, one other (N - B
/// + 1) / (N (B - 1)), and the rest 1/(B - 1).
/// published ("published"): as Kuzina et al. 2022 computed it. The sums run over the samples i under one component j
/// instead of over components, with the plain weight 1/B; this does not estimate a total correlation.
enum class TotalCorrelationEstimator { weighted, stratified, published };

std::string_view name(TotalCorrelationEstimator estimator);
/// Throws Misuse that suggests the nearest name if there is no estimator of that name.
TotalCorrelationEstimator total_correlation_estimator(std::string_view name);

struct TotalCorrelationOptions {
  TotalCorrelationEstimator estimator = TotalCorrelationEstimator::weighted;
  std::int64_t training_images = 1;  // N
  int threads = 1;                   // does not affect the result
};

/// sum_i log q(z_i) - sum_d log q(z_id) over the mini-batch, B times the estimate of KL(q(z) || prod_d q(z_d)), in
/// nats. `encoded` [B, 2 D] are means and log-variances, `latents` [B, D] one draw of each. The gradients with respect
/// to both, each with the other held constant, are written (resized) unless null. Sums run in double. For a single
/// image it is 0: such a mini-batch says nothing about the mixture.
double total_correlation(const Matrix& encoded, const Matrix& latents, const TotalCorrelationOptions& options,
                         Matrix* encoded_gradients, Matrix* latent_gradients);

}  // namespace vaeguard::training
