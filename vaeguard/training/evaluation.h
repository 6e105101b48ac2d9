// How good a VAE is: its evidence lower bound and its importance-weighted likelihood, with standard errors.
#pragma once

#include <cstdint>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/observer.h"
#include "vaeguard/base/random.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::training {

/// Means over images, in nats per image; elbo = -(reconstruction + divergence).
struct ElboEstimate {
  double elbo = 0.0;
  double standard_error = 0.0;  // of elbo, over images
  double reconstruction = 0.0;  // -log p(x|z), one draw of z per image
  double divergence = 0.0;      // KL(q(z|x) || p(z)), by the same draw where it has no closed form
  std::int64_t images = 0;
};

/// Image i draws its z from key.fold(i), so equal keys compare models on equal noise.
ElboEstimate estimate_elbo(const networks::Network& encoder, const networks::Network& decoder,
                           const models::Likelihood& likelihood, const models::Prior& prior, const Matrix& images,
                           Key key, int threads);
ElboEstimate estimate_elbo(const models::Vae& vae, const Matrix& images, Key key, int threads);

/// Mean over images of -log (1/K sum_k p(x, z_k) / q(z_k|x)), z_k ~ q(z|x) (Burda et al. 2016), in nats. An upper bound
/// on the negative log-likelihood in expectation that falls as K grows.
struct LikelihoodEstimate {
  double negative_log_likelihood = 0.0;
  double standard_error = 0.0;  // over images
  std::int64_t images = 0;
  int draws = 0;
};

LikelihoodEstimate estimate_likelihood(const models::Vae& vae, const Matrix& images, int draws, Key key, int threads,
                                       Observer& observer);

}  // namespace vaeguard::training
