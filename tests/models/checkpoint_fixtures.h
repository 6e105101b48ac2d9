// A small checkpoint, and what loading a changed one says.
#pragma once

#include <string>

#include "tests/networks/random_graph.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/random.h"
#include "vaeguard/models/checkpoint.h"
#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::models {

inline Checkpoint example() {
  VaeWeights vae{.architecture = "tiny",
                 .encoder = {.inputs = {{1, 4, 4}}},
                 .decoder = {.inputs = {{2, 1, 1}}},
                 .likelihood = gaussian(0.3)};
  vae.encoder.add(networks::Operation::convolution,
                  {.channels = 3, .kernel = 3, .stride = 2, .padding = 1, .activation = networks::Activation::relu});
  vae.encoder.add(networks::Operation::convolution, {.channels = 4, .kernel = 2});
  vae.decoder.add(networks::Operation::transposed_convolution, {.channels = 1, .kernel = 2, .dilation = 3});
  fill_normal(Key(1), vae.encoder.parameters);
  fill_normal(Key(2), vae.decoder.parameters);
  LinearClassifier classifier{.weight = Matrix(3, 2), .bias = {1.0F, 2.0F, 3.0F}};
  fill_normal(Key(3), classifier.weight.flat());
  return {.vae = vae, .classifier = classifier, .metadata = {{"data_digest", "abc"}, {"metrics", "{\"elbo\": -95}"}}};
}

inline void expect_equal(const networks::LayerGraph& found, const networks::LayerGraph& expected) {
  EXPECT_EQ(found.inputs, expected.inputs);
  EXPECT_EQ(found.outputs, expected.outputs);
  EXPECT_EQ(found.parameters, expected.parameters);
  EXPECT_EQ(networks::trace_of(found), networks::trace_of(expected));
}

inline std::string message_of(const Safetensors& file) {
  try {
    from_safetensors(file, "model.safetensors");
  } catch (const Misuse& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace vaeguard::models
