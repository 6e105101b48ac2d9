// Layer graphs as the two halves of a VAE.
#include "vaeguard/models/layered_vae.h"

#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/models/pair.h"

namespace vaeguard::models {
namespace {

ImageShape latents_of(const VaeWeights& weights) { return {weights.latent_size(), 1, 1}; }

}  // namespace

LayeredVae::LayeredVae(VaeWeights weights, std::string_view backend, networks::Precision gradients)
    : weights_(std::move(weights)),
      prior_(std::make_shared<const Prior>(weights_.prior, backend)),
      encoder_(networks::compile(weights_.encoder, backend)),
      decoder_(networks::compile(weights_.decoder, backend)),
      gradient_decoder_(decoder_) {
  const std::int64_t latents = weights_.latent_size();
  const std::int64_t encoded = weights_.encoder.output_size();
  const std::int64_t decoded = weights_.decoder.output_size();
  if (encoded != 2 * latents || decoded != weights_.image().size()) {
    misuse("models.layered_vae",
           "encoder must give twice the decoder's {} latents, got {}; decoder must give {} pixels, got {}", latents,
           encoded, weights_.image().size(), decoded);
  }
  validate(weights_.prior, latents, "models.layered_vae");
  if (gradients != networks::Precision::float32) {
    const networks::Backend& chosen = networks::select_backend(backend, weights_.decoder);
    refusal_ = chosen.unsupported(weights_.decoder, gradients);
    if (refusal_.empty()) {
      gradient_decoder_ = chosen.compile(weights_.decoder, gradients);
    }
  }
}

std::shared_ptr<const Recognition> LayeredVae::recognition() const {
  return pair_recognition(encoder_, weights_.image(), latents_of(weights_));
}

std::shared_ptr<const Generative> LayeredVae::generative() const {
  return pair_generative(decoder_, prior_, weights_.image(), latents_of(weights_), weights_.likelihood);
}

std::shared_ptr<const Generative> LayeredVae::gradient_generative() const {
  return gradient_decoder_ == decoder_
             ? nullptr
             : pair_generative(gradient_decoder_, prior_, weights_.image(), latents_of(weights_), weights_.likelihood);
}

}  // namespace vaeguard::models
