// The variance of a Gaussian likelihood as training finds it (Rybkin, Daniilidis and Levine 2021, sigma-VAE).
#pragma once

#include "vaeguard/models/likelihood.h"

namespace vaeguard::training {

/// Below this a variance is not believed: images that are learned by heart would drive it to zero and the loss to
/// minus infinity.
inline constexpr double kLeastLearnedVariance = 1e-4;

/// Whether the likelihood says variance = "learned".
bool learns_variance(const models::Likelihood& likelihood);

/// The likelihood of the first epoch: the Gaussian of variance 1 / (2 pi), as in usual_likelihood, if the variance is
/// to be learned, else itself.
models::Likelihood first_likelihood(const models::Likelihood& likelihood);

/// The number that a Gaussian has as its variance.
double variance_of(const models::Likelihood& gaussian);

/// The variance under which pixels with these residuals are most probable, their mean squared residual s, or
/// kLeastLearnedVariance where that is larger. `reconstruction` is the mean of their -log p in nats under `variance` v,
/// s / (2 v) + log(2 pi v) / 2, which gives s back.
double best_variance(double reconstruction, double variance);

}  // namespace vaeguard::training
