// The trained VAE of the zoo, images that its pixel law draws, and what an attacker makes of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/models/made_up_law.h"
#include "tests/networks/random_graph.h"
#include "vaeguard/models/checkpoint.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::defences {

/// The trained VAE of the zoo with images that are draws of its pixel law at codes from the prior, and what an
/// attacker makes of them who pushes the encoder's mean away by the gradient's sign.
class AttackedDigits : public testing::Test {
 protected:
  static constexpr std::int64_t kImages = 12;

  AttackedDigits()
      : vae_(models::load_checkpoint(VAEGUARD_SOURCE_DIR "/zoo/mnist_vae.safetensors").vae), clean_(kImages, 784) {
    const models::PixelLaw& law = *vae_.layers()->weights().pixel_law;
    const Matrix codes = networks::random_matrix(Key(12), kImages, vae_.latent_size());
    const Matrix outputs = networks::forward_all(vae_.layers()->decoder(), codes, 1);
    Stream stream(Key(13));
    for (std::size_t i = 0; i < outputs.values().size(); ++i) {
      const std::int64_t node = std::lround(law.position(outputs.values()[i]));
      clean_.data()[i] = static_cast<float>(models::draw_level(law, node, stream)) / 255.0F;
    }
  }

  [[nodiscard]] Matrix attacked(float radius) const {
    const Matrix means = vae_.encode(clean_).mean;
    Matrix images = clean_;
    const auto tape = vae_.layers()->encoder().make_tape();
    Matrix noise(kImages, 784);
    fill_uniform(Key(14), -0.5F, 0.5F, noise.flat());
    for (int step = 0; step < 20; ++step) {
      Matrix outputs;
      Matrix gradient;
      vae_.layers()->encoder().forward(images, outputs, *tape);
      Matrix output_gradient(kImages, outputs.columns());
      for (std::int64_t b = 0; b < kImages; ++b) {
        for (std::int64_t d = 0; d < vae_.latent_size(); ++d) {
          output_gradient(b, d) = outputs(b, d) - means(b, d);
        }
      }
      vae_.layers()->encoder().backward(output_gradient, gradient, *tape);
      for (std::size_t i = 0; i < images.values().size(); ++i) {
        // At the clean image itself the gradient is 0, so noise takes the first step.
        const float direction = step == 0 ? noise.values()[i] : gradient.values()[i];
        const float clean = clean_.values()[i];
        const float moved = images.values()[i] + std::copysign(0.25F * radius, direction);
        images.data()[i] = std::clamp(std::clamp(moved, clean - radius, clean + radius), 0.0F, 1.0F);
      }
    }
    return images;
  }

  /// Mean distance of each row to the encoder's mean of the clean image.
  [[nodiscard]] double distance(const Matrix& latents) const {
    const Matrix means = vae_.encode(clean_).mean;
    double sum = 0.0;
    for (std::int64_t b = 0; b < kImages; ++b) {
      double squares = 0.0;
      for (std::int64_t d = 0; d < means.columns(); ++d) {
        squares += std::pow(latents(b, d) - means(b, d), 2);
      }
      sum += std::sqrt(squares) / kImages;
    }
    return sum;
  }

  models::Vae vae_;
  Matrix clean_;
};

}  // namespace vaeguard::defences
