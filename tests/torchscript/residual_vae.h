// A small VAE with every operation and activation, for exports and the torch backend.
#pragma once

#include "tests/networks/random_graph.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::torchscript {

/// Images of 1 x 8 x 8, three latents.
inline models::VaeWeights residual_vae() {
  using networks::Activation;
  using networks::Operation;
  models::VaeWeights vae{.architecture = "residual",
                         .encoder = {.inputs = {{1, 8, 8}}},
                         .decoder = {.inputs = {{3, 1, 1}}},
                         .likelihood = {}};
  vae.encoder
      .add(Operation::convolution,
           {.channels = 8, .kernel = 3, .stride = 2, .padding = 1, .activation = Activation::leaky_relu, .slope = 0.1})
      .add(Operation::convolution,
           {.channels = 8, .kernel = 3, .padding = 1, .groups = 2, .activation = Activation::elu, .slope = 0.7})
      .add(Operation::addition, {.activation = Activation::silu, .sources = {-1, 1}})
      .add(Operation::reshape, {.shape = {128, 1, 1}})
      .add(Operation::convolution, {.channels = 6});
  vae.decoder.add(Operation::convolution, {.channels = 16, .activation = Activation::tanh})
      .add(Operation::upsampling, {.stride = 2})
      .add(Operation::pixel_shuffle, {.stride = 2})
      .add(Operation::transposed_convolution,
           {.channels = 4, .kernel = 3, .padding = 1, .groups = 4, .activation = Activation::relu})
      .add(Operation::addition, {.activation = Activation::sigmoid, .sources = {-1, 3}})
      .add(Operation::transposed_convolution,
           {.channels = 1, .kernel = 3, .stride = 2, .padding = 1, .output_padding = 1});
  networks::randomise(vae.encoder, Key(1));
  networks::randomise(vae.decoder, Key(2));
  return vae;
}

}  // namespace vaeguard::torchscript
