// Two halves as one model.
#include "vaeguard/models/vae.h"

#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::models {

Vae::Vae(std::shared_ptr<const Recognition> recognition, std::shared_ptr<const Generative> generative,
         std::shared_ptr<const PixelLaw> pixel_law)
    : recognition_(std::move(recognition)), generative_(std::move(generative)), pixel_law_(std::move(pixel_law)) {
  if (recognition_->image() != generative_->image()) {
    const auto [c, h, w] = recognition_->image();
    const auto [other_c, other_h, other_w] = generative_->image();
    misuse("models.vae", "the encoder takes images of {}x{}x{}, the decoder gives {}x{}x{}", c, h, w, other_c, other_h,
           other_w);
  }
  if (recognition_->latents().size() != generative_->latents().size()) {
    misuse("models.vae", "the encoder gives {} latents, the decoder takes {}", recognition_->latents().size(),
           generative_->latents().size());
  }
}

Vae::Vae(VaeWeights weights, std::string_view backend, networks::Precision gradients)
    : layers_(std::make_shared<const LayeredVae>(std::move(weights), backend, gradients)),
      recognition_(layers_->recognition()),
      generative_(layers_->generative()),
      gradient_generative_(layers_->gradient_generative()),
      pixel_law_(layers_->weights().pixel_law) {}

Encoding Vae::encode(const MatrixView& images, int threads) const {
  return models::encode(*recognition_, images, threads);
}

Matrix Vae::sample(const Matrix& images, const Encoding& encoding, std::span<const Key> keys) const {
  return recognition_->draw(images, encoding, keyed_noise(keys, latent_size())).codes;
}

Matrix Vae::decode(const MatrixView& latents, int threads) const {
  return models::decode(*generative_, latents, threads);
}

}  // namespace vaeguard::models
