// A VAE made of layer graphs: its weights as plain data, and both halves compiled by a backend.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "vaeguard/models/generative.h"
#include "vaeguard/models/pixel_law.h"
#include "vaeguard/models/prior.h"
#include "vaeguard/models/recognition.h"
#include "vaeguard/networks/layer_graph.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::models {

/// The encoder maps an image to 2 D numbers, D means then D log-variances; the decoder maps D latents to the
/// likelihood's parameters (logits for Bernoulli, means for Gaussian). The prior is standard normal where none was
/// learned.
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

/// Those weights compiled for inference.
class LayeredVae {
 public:
  /// `gradients`: what gradient_decoder() computes in. Where the backend cannot, that is the decoder itself, and
  /// refusal() says why.
  LayeredVae(VaeWeights weights, std::string_view backend, networks::Precision gradients);

  [[nodiscard]] const VaeWeights& weights() const { return weights_; }
  [[nodiscard]] const Prior& prior() const { return *prior_; }
  [[nodiscard]] const networks::Network& encoder() const { return *encoder_; }
  [[nodiscard]] const networks::Network& decoder() const { return *decoder_; }
  [[nodiscard]] const networks::Network& gradient_decoder() const { return *gradient_decoder_; }
  /// Empty, or why gradients run in float32 although bfloat16 was asked for.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

  [[nodiscard]] std::shared_ptr<const Recognition> recognition() const;
  [[nodiscard]] std::shared_ptr<const Generative> generative() const;
  /// The same with the gradient decoder; null where that is the decoder.
  [[nodiscard]] std::shared_ptr<const Generative> gradient_generative() const;

 private:
  VaeWeights weights_;
  std::shared_ptr<const Prior> prior_;
  std::shared_ptr<const networks::Network> encoder_;
  std::shared_ptr<const networks::Network> decoder_;
  std::shared_ptr<const networks::Network> gradient_decoder_;
  std::string refusal_;
};

}  // namespace vaeguard::models
