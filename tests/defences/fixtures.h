// A small VAE with a pixel law, images of grey levels for it, and an observer that is in a hurry.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "tests/models/made_up_law.h"
#include "tests/networks/random_graph.h"
#include "vaeguard/base/observer.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::defences {

inline constexpr std::int64_t kSmallLatents = 3;
inline constexpr std::int64_t kSmallPixels = 40;

/// Three latents, a hidden layer of 16 ReLUs, 40 pixels; an encoder of one layer with small variances.
inline models::VaeWeights small_weights(const models::Likelihood& likelihood = {}) {
  using networks::Operation;
  models::VaeWeights vae{.architecture = "small",
                         .encoder = {.inputs = {{kSmallPixels, 1, 1}}},
                         .decoder = {.inputs = {{kSmallLatents, 1, 1}}},
                         .likelihood = likelihood,
                         .pixel_law = std::make_shared<const models::PixelLaw>(models::made_up_law())};
  vae.encoder.add(Operation::convolution, {.channels = 2 * kSmallLatents});
  vae.decoder.add(Operation::convolution, {.channels = 16, .activation = networks::Activation::relu})
      .add(Operation::convolution, {.channels = kSmallPixels});
  networks::randomise(vae.encoder, Key(41));
  networks::randomise(vae.decoder, Key(42));
  const auto bias = vae.encoder.bias(vae.encoder.layers.front());
  std::ranges::fill(bias.subspan(static_cast<std::size_t>(kSmallLatents)), -2.0F);
  return vae;
}

/// The same without the pixel law.
inline models::Vae without_law() {
  models::VaeWeights weights = small_weights();
  weights.pixel_law = nullptr;
  return models::Vae(weights);
}

/// The same with a law that is certain of this share of the training pixels.
inline models::Vae with_certain_share(double share) {
  models::VaeWeights weights = small_weights();
  models::PixelLaw law = *weights.pixel_law;
  for (std::int64_t node = 0; node < law.nodes(); ++node) {
    const float peak = node == 0 ? 0.9F : 0.4F;
    std::ranges::fill(law.probability.row(node), (1.0F - peak) / 255.0F);
    law.probability(node, 0) = peak;
  }
  law.weight.assign(law.weight.size(), (1.0 - share) / static_cast<double>(law.nodes() - 1));
  law.weight.front() = share;
  weights.pixel_law = std::make_shared<const models::PixelLaw>(law);
  return models::Vae(weights);
}

inline std::vector<Key> make_keys(std::int64_t count) {
  std::vector<Key> keys;
  for (std::int64_t i = 0; i < count; ++i) {
    keys.push_back(Key(5).fold(static_cast<std::uint64_t>(i)));
  }
  return keys;
}

/// Images of whole levels; a third of the pixels black and a third white.
inline Matrix level_images(std::int64_t count, std::int64_t pixels = kSmallPixels) {
  Matrix images(count, pixels);
  fill_uniform(Key(8), -255.0F, 510.0F, images.flat());
  for (float& x : images.flat()) {
    x = std::clamp(std::round(x), 0.0F, 255.0F) / 255.0F;
  }
  return images;
}

/// Wants to stop at once.
class Impatient : public Observer {
 public:
  [[nodiscard]] bool interrupted() const override { return true; }
};

}  // namespace vaeguard::defences
