// A variational autoencoder: a recognition and a generative model of the same images and latents, ready for inference.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "vaeguard/base/matrix_view.h"
#include "vaeguard/base/random.h"
#include "vaeguard/models/generative.h"
#include "vaeguard/models/layered_vae.h"
#include "vaeguard/models/pixel_law.h"
#include "vaeguard/models/recognition.h"

namespace vaeguard::models {

class Vae {
 public:
  /// Any two halves that fit, with what was counted of their pixels, if anything.
  Vae(std::shared_ptr<const Recognition> recognition, std::shared_ptr<const Generative> generative,
      std::shared_ptr<const PixelLaw> pixel_law = nullptr);
  /// Layer graphs compiled by a backend. `gradients`: what gradient_generative() computes in.
  explicit Vae(VaeWeights weights, std::string_view backend = "auto",
               networks::Precision gradients = networks::Precision::float32);

  [[nodiscard]] ImageShape image() const { return generative_->image(); }
  [[nodiscard]] const LatentLayout& latents() const { return generative_->latents(); }
  /// D, of all groups together.
  [[nodiscard]] std::int64_t latent_size() const { return latents().size(); }
  [[nodiscard]] const Likelihood& likelihood() const { return generative_->likelihood(); }
  /// Null where none was counted.
  [[nodiscard]] const std::shared_ptr<const PixelLaw>& pixel_law() const { return pixel_law_; }

  [[nodiscard]] const Recognition& recognition() const { return *recognition_; }
  [[nodiscard]] const Generative& generative() const { return *generative_; }
  /// The generative model for gradients that need not be exact, as a sampler's that accepts by exact energies.
  [[nodiscard]] const Generative& gradient_generative() const { return mixed() ? *gradient_generative_ : *generative_; }
  /// Whether that is another one than generative().
  [[nodiscard]] bool mixed() const { return gradient_generative_ != nullptr; }
  /// The layer graphs, for what reads or compiles them: training, checkpoints, export, other devices. Null where the
  /// model is made of something else.
  [[nodiscard]] const LayeredVae* layers() const { return layers_.get(); }

  [[nodiscard]] Encoding encode(const MatrixView& images, int threads = 1) const;
  /// One draw of q(z|x) of each image [B, C*H*W], whose encoding is given; row b uses keys[b].
  [[nodiscard]] Matrix sample(const Matrix& images, const Encoding& encoding, std::span<const Key> keys) const;
  /// Latents [B, D] -> mean images [B, C*H*W], probabilities for Bernoulli.
  [[nodiscard]] Matrix decode(const MatrixView& latents, int threads = 1) const;

 private:
  std::shared_ptr<const LayeredVae> layers_;
  std::shared_ptr<const Recognition> recognition_;
  std::shared_ptr<const Generative> generative_;
  std::shared_ptr<const Generative> gradient_generative_;
  std::shared_ptr<const PixelLaw> pixel_law_;
};

}  // namespace vaeguard::models
