// Encoding, sampling and decoding with a compiled VAE.
#include "vaeguard/models/vae.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::models {

Encoding split_encoding(const Matrix& outputs) {
  const std::int64_t size = outputs.columns() / 2;
  Encoding encoding{Matrix(outputs.rows(), size), Matrix(outputs.rows(), size)};
  for (std::int64_t b = 0; b < outputs.rows(); ++b) {
    std::ranges::copy(outputs.row(b).first(static_cast<std::size_t>(size)), encoding.mean.row(b).begin());
    std::ranges::copy(outputs.row(b).last(static_cast<std::size_t>(size)), encoding.log_variance.row(b).begin());
  }
  return encoding;
}

Matrix sample(const Encoding& encoding, std::span<const Key> keys) {
  Matrix draws(encoding.mean.rows(), encoding.mean.columns());
  for (std::int64_t b = 0; b < draws.rows(); ++b) {
    fill_normal(keys[static_cast<std::size_t>(b)], draws.row(b));
    for (std::int64_t d = 0; d < draws.columns(); ++d) {
      draws(b, d) = encoding.mean(b, d) + std::exp(0.5F * encoding.log_variance(b, d)) * draws(b, d);
    }
  }
  return draws;
}

Vae::Vae(VaeWeights weights, std::string_view backend, networks::Precision gradients)
    : weights_(std::move(weights)),
      prior_(weights_.prior, backend),
      encoder_(networks::compile(weights_.encoder, backend)),
      decoder_(networks::compile(weights_.decoder, backend)),
      gradient_decoder_(decoder_) {
  const std::int64_t encoded = weights_.encoder.output_size();
  if (encoded != 2 * latent_size() || weights_.decoder.output_size() != image().size()) {
    misuse("models.vae",
           "encoder must give twice the decoder's {} latents, got {}; decoder must give {} pixels, got {}",
           latent_size(), encoded, image().size(), weights_.decoder.output_size());
  }
  validate(weights_.prior, latent_size(), "models.vae");
  if (gradients != networks::Precision::float32) {
    const networks::Backend& chosen = networks::select_backend(backend, weights_.decoder);
    refusal_ = chosen.unsupported(weights_.decoder, gradients);
    if (refusal_.empty()) {
      gradient_decoder_ = chosen.compile(weights_.decoder, gradients);
    }
  }
}

Encoding Vae::encode(const Matrix& images, int threads) const {
  return split_encoding(networks::forward_all(*encoder_, images, threads));
}

Matrix Vae::decode(const Matrix& latents, int threads) const {
  const Matrix parameters = networks::forward_all(*decoder_, latents, threads);
  Matrix images(parameters.rows(), parameters.columns());
  for (std::int64_t b = 0; b < images.rows(); ++b) {
    likelihood().mean(parameters.row(b), images.row(b));
  }
  return images;
}

}  // namespace vaeguard::models
