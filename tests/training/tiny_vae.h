// A VAE of a few dozen parameters on 6 x 6 images, and images for it.
#pragma once

#include "vaeguard/base/random.h"
#include "vaeguard/data/dataset.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::training {

inline models::VaeWeights tiny_vae(const models::Likelihood& likelihood = {}) {
  models::VaeWeights vae{.architecture = "tiny",
                         .encoder = {.inputs = {{1, 6, 6}}},
                         .decoder = {.inputs = {{2, 1, 1}}},
                         .likelihood = likelihood};
  using networks::Activation;
  using networks::Operation;
  vae.encoder.add(Operation::convolution,
                  {.channels = 3, .kernel = 3, .stride = 2, .padding = 1, .activation = Activation::relu});
  vae.encoder.add(Operation::convolution, {.channels = 4, .kernel = 3});
  vae.decoder.add(Operation::transposed_convolution, {.channels = 4, .kernel = 3, .activation = Activation::relu});
  vae.decoder.add(Operation::transposed_convolution, {.channels = 1, .kernel = 4, .stride = 2, .padding = 1});
  fill_normal(Key(11), vae.encoder.parameters);
  fill_normal(Key(12), vae.decoder.parameters);
  for (float& value : vae.encoder.parameters) {
    value *= 0.3F;
  }
  for (float& value : vae.decoder.parameters) {
    value *= 0.3F;
  }
  return vae;
}

/// Images with a bright left or right half and noise.
inline data::Images tiny_images(std::int64_t count, Key key) {
  data::Images images{.pixels = Matrix(count, 36), .labels = {}};
  fill_uniform(key, 0.0F, 0.3F, images.pixels.flat());
  for (std::int64_t i = 0; i < count; ++i) {
    images.labels.push_back(i % 2);
    for (std::int64_t p = 0; p < 36; ++p) {
      images.pixels(i, p) += (p % 6 < 3) == (i % 2 == 0) ? 0.7F : 0.0F;
    }
  }
  return images;
}

inline data::Dataset tiny_dataset() {
  return {.name = "tiny",
          .shape = {1, 6, 6},
          .classes = 2,
          .digest = "none",
          .train = tiny_images(150, Key(21)),
          .validation = tiny_images(40, Key(22)),
          .test = tiny_images(40, Key(23))};
}

}  // namespace vaeguard::training
