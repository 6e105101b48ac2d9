// The self-consistency penalty of AVAE (Cemgil et al. 2020): an image's code and its reconstruction's should agree.
#pragma once

#include <span>

#include "vaeguard/base/matrix.h"
#include "vaeguard/training/encoder_pass.h"

namespace vaeguard::training {

/// E KL(N(again's mean, again's variances) || N(rho z, (1 - rho^2) I)) over z ~ N(mean, exp(log_variance)), in nats,
///   sum_d (S' + rho^2 S + (m' - rho m)^2) / (2 (1 - rho^2)) - log(S') / 2 + (log(1 - rho^2) - 1) / 2,
/// the terms that AVAE adds to the negative ELBO, with the constants that make them a divergence. `again` [2 D] is
/// q(z'|x') of an image x' decoded from z. An empty `log_variance` means an exactly known code z = mean. Writes the
/// gradients unless they are empty: `gradient` [2 D] with respect to mean and log_variance, `gradient_again` [2 D].
double inconsistency(std::span<const float> mean, std::span<const float> log_variance, std::span<const float> again,
                     double rho, std::span<float> gradient, std::span<float> gradient_again);

/// Throws Misuse unless 0 <= rho < 1.
void check_correlation(double rho);

/// The inconsistency of codes `encoded` [B, 2 D] with those of the images in `pass`, decoded from them and held
/// constant, summed over rows. Unless `gradient` is empty, adds the gradient through the second codes to it (the
/// encoder's parameters) and the one with respect to `encoded` to `encoded_gradients` [B, 2 D].
double add_inconsistency(const networks::TrainableNetwork& encoder, const Matrix& encoded, double rho,
                         EncoderPass& pass, Matrix& encoded_gradients, std::span<float> gradient);

}  // namespace vaeguard::training
