// A variational autoencoder: encoder and decoder graphs, a likelihood, and the maps between images and latent codes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/base/matrix.h"
#include "vaeguard/base/random.h"
#include "vaeguard/models/likelihood.h"
#include "vaeguard/models/pixel_law.h"
#include "vaeguard/models/prior.h"
#include "vaeguard/networks/layer_graph.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::models {

/// A VAE as plain data. The encoder maps an image to 2 D numbers, D means then D log-variances; the decoder maps D
/// latents to the likelihood's parameters (logits for Bernoulli, means for Gaussian). The prior is standard normal
/// where none was learned.
struct VaeWeights {
  std::string architecture;  // "conv_vae", "linear_vae"
  networks::LayerGraph encoder;
  networks::LayerGraph decoder;
  Likelihood likelihood;
  std::shared_ptr<const PixelLaw> pixel_law = nullptr;  // null where none was counted
  PriorWeights prior = {};

  [[nodiscard]] ImageShape image() const { return encoder.input(); }
  [[nodiscard]] std::int64_t latent_size() const { return decoder.input_size(); }
};

/// q(z|x) of B images: diagonal Gaussians, mean and log-variance [B, D].
struct Encoding {
  Matrix mean;
  Matrix log_variance;
};

/// Splits encoder outputs [B, 2 D] into mean and log-variance.
Encoding split_encoding(const Matrix& outputs);
/// One draw of each Gaussian; row b uses the key keys[b].
Matrix sample(const Encoding& encoding, std::span<const Key> keys);

/// VAE weights compiled for inference.
class Vae {
 public:
  /// `gradients`: what gradient_decoder() computes in. Where the backend cannot, that is the decoder itself, and
  /// refusal() says why.
  explicit Vae(VaeWeights weights, std::string_view backend = "auto",
               networks::Precision gradients = networks::Precision::float32);

  [[nodiscard]] const VaeWeights& weights() const { return weights_; }
  [[nodiscard]] ImageShape image() const { return weights_.image(); }
  [[nodiscard]] std::int64_t latent_size() const { return weights_.latent_size(); }
  [[nodiscard]] const Likelihood& likelihood() const { return weights_.likelihood; }
  [[nodiscard]] const Prior& prior() const { return prior_; }
  [[nodiscard]] const networks::Network& encoder() const { return *encoder_; }
  [[nodiscard]] const networks::Network& decoder() const { return *decoder_; }
  /// The decoder for gradients that need not be exact, as a sampler's that accepts by exact energies.
  [[nodiscard]] const networks::Network& gradient_decoder() const { return *gradient_decoder_; }
  /// Whether that is another network than decoder().
  [[nodiscard]] bool mixed() const { return gradient_decoder_ != decoder_; }
  /// Empty, or why gradients run in float32 although bfloat16 was asked for.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

  [[nodiscard]] Encoding encode(const Matrix& images, int threads = 1) const;
  /// Latents [B, D] -> mean images [B, C*H*W], probabilities for Bernoulli.
  [[nodiscard]] Matrix decode(const Matrix& latents, int threads = 1) const;

 private:
  VaeWeights weights_;
  Prior prior_;
  std::shared_ptr<const networks::Network> encoder_;
  std::shared_ptr<const networks::Network> decoder_;
  std::shared_ptr<const networks::Network> gradient_decoder_;
  std::string refusal_;
};

}  // namespace vaeguard::models
