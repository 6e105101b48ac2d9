// The evidence lower bound of a VAE and its gradient for the parameters.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/models/prior.h"
#include "vaeguard/models/vae.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::training {

/// -ELBO = reconstruction + divergence, in nats, summed over images.
struct ElboSum {
  double reconstruction = 0.0;  // -log p(x|z) at z = mean + exp(log variance / 2) noise
  double divergence = 0.0;      // KL(q(z|x) || p(z)), see divergences

  /// The loss of a beta-VAE (Higgins et al. 2017); beta = 1 gives -ELBO.
  [[nodiscard]] double loss(double beta) const { return reconstruction + beta * divergence; }
  ElboSum& operator+=(const ElboSum& other);
};

/// KL(N(mean, exp(log variance)) || N(0, 1)), summed over dimensions; `encoded` is mean [D] then log variance [D].
double divergence_from_prior(std::span<const float> encoded);

/// A standard normal prior without parameters.
const models::TrainablePrior& standard_normal_prior();

/// The networks being trained, by reference.
struct VaeNetworks {
  const networks::TrainableNetwork& encoder;
  const networks::TrainableNetwork& decoder;
  models::Likelihood likelihood;
  const models::TrainablePrior& prior = standard_normal_prior();

  [[nodiscard]] std::size_t parameters() const;
  /// The parts of `parameters`, or of a gradient: the encoder's, then the decoder's, then the prior's.
  struct Parts {
    std::span<float> encoder;
    std::span<float> decoder;
    std::span<float> prior;
  };
  [[nodiscard]] Parts split(std::span<float> parameters) const;
};

/// KL(q(z|x) || p(z)) of each code [B, 2 D] given one draw of it [B, D]: the divergence from N(0, I) in closed form,
/// and log N(z; 0, I) - log p(z) at the draw, which is zero where p is N(0, I). Its expectation is that of log q(z|x) -
/// log p(z), with less noise the closer p is to N(0, I). Leaves its pass through the prior on `tape`.
std::vector<double> divergences(const models::Prior& prior, const Matrix& encoded, const Matrix& latents,
                                models::PriorTape& tape);

/// z = mean + exp(log variance / 2) noise for each row; encoded [B, 2 D], noise and latents [B, D].
void reparametrise(const Matrix& encoded, const Matrix& noise, Matrix& latents);

/// The buffers of one chunk of rows, reused from step to step.
struct ElboWorkspace {
  std::unique_ptr<networks::Tape> encoder_tape;
  std::unique_ptr<networks::Tape> decoder_tape;
  models::PriorTape prior_tape;
  Matrix encoded;
  Matrix latents;
  Matrix outputs;
  Matrix output_gradients;
  Matrix latent_gradients;
  Matrix encoded_gradients;
  Matrix added_latent_gradients;   // [B, D], from other terms of an objective; empty for none
  Matrix added_encoded_gradients;  // [B, 2 D], likewise

  ElboWorkspace(const networks::Network& encoder, const networks::Network& decoder);
};

/// The terms at images [B, C*H*W] with the given standard normal noise [B, D]. Leaves codes, latents and outputs in the
/// workspace.
ElboSum elbo_forward(const VaeNetworks& networks, const Matrix& images, const Matrix& noise, ElboWorkspace& workspace);
/// After elbo_forward: adds the gradient of loss(beta) and of what the workspace has from other terms, summed over
/// rows, to `gradient`: the parameters of encoder, decoder and prior.
void elbo_backward(const VaeNetworks& networks, const Matrix& noise, double beta, ElboWorkspace& workspace,
                   std::span<float> gradient);
/// Both.
ElboSum elbo_gradient(const VaeNetworks& networks, const Matrix& images, const Matrix& noise, double beta,
                      ElboWorkspace& workspace, std::span<float> gradient);

}  // namespace vaeguard::training
