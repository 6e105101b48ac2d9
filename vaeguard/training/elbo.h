// The evidence lower bound of a VAE with a standard normal prior, and its gradient for the parameters.
#pragma once

#include <memory>
#include <span>

#include "vaeguard/base/matrix.h"
#include "vaeguard/models/vae.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::training {

/// -ELBO = reconstruction + divergence, in nats, summed over images.
struct ElboSum {
  double reconstruction = 0.0;  // -log p(x|z) at z = mean + exp(log variance / 2) noise
  double divergence = 0.0;      // KL(q(z|x) || p(z)) in closed form

  /// The loss of a beta-VAE (Higgins et al. 2017); beta = 1 gives -ELBO.
  [[nodiscard]] double loss(double beta) const { return reconstruction + beta * divergence; }
  ElboSum& operator+=(const ElboSum& other);
};

/// KL(N(mean, exp(log variance)) || N(0, 1)), summed over dimensions; `encoded` is mean [D] then log variance [D].
double divergence_from_prior(std::span<const float> encoded);

/// z = mean + exp(log variance / 2) noise for each row; encoded [B, 2 D], noise and latents [B, D].
void reparametrise(const Matrix& encoded, const Matrix& noise, Matrix& latents);

/// The memory of one chunk of rows, kept from step to step.
struct ElboWorkspace {
  std::unique_ptr<networks::Tape> encoder_tape;
  std::unique_ptr<networks::Tape> decoder_tape;
  Matrix encoded;
  Matrix latents;
  Matrix outputs;
  Matrix output_gradients;
  Matrix latent_gradients;
  Matrix encoded_gradients;
  Matrix added_latent_gradients;   // [B, D], what other terms of an objective add; empty for nothing
  Matrix added_encoded_gradients;  // [B, 2 D], likewise

  ElboWorkspace(const networks::Network& encoder, const networks::Network& decoder);
};

/// The terms at images [B, C*H*W] with the given standard normal noise [B, D]. Leaves codes, latents and outputs in the
/// workspace.
ElboSum elbo_forward(const networks::Network& encoder, const networks::Network& decoder,
                     const models::Likelihood& likelihood, const Matrix& images, const Matrix& noise,
                     ElboWorkspace& workspace);
/// After elbo_forward: adds the gradient of loss(beta) and of what the workspace has from other terms, summed over
/// rows, to `gradient`: the encoder's parameters, then the decoder's.
void elbo_backward(const networks::TrainableNetwork& encoder, const networks::TrainableNetwork& decoder,
                   const Matrix& noise, double beta, ElboWorkspace& workspace, std::span<float> gradient);
/// Both.
ElboSum elbo_gradient(const networks::TrainableNetwork& encoder, const networks::TrainableNetwork& decoder,
                      const models::Likelihood& likelihood, const Matrix& images, const Matrix& noise, double beta,
                      ElboWorkspace& workspace, std::span<float> gradient);

}  // namespace vaeguard::training
