// Layer graphs in checkpoints: every kind of layer is loaded as it was saved, and each bad field is one clear error.
#include <nlohmann/json.hpp>

#include "tests/models/checkpoint_fixtures.h"
#include "tests/networks/random_graph.h"

namespace vaeguard::models {
namespace {

/// Three latents and an image of 8 x 4 x 4; its decoder has a layer of every kind.
Checkpoint residual_example() {
  using networks::Activation;
  using networks::Operation;
  VaeWeights vae{.architecture = "residual",
                 .encoder = {.inputs = {{8, 4, 4}}},
                 .decoder = {.inputs = {{3, 1, 1}}},
                 .likelihood = gaussian(1.0)};
  vae.encoder.add(Operation::reshape, {.shape = {128, 1, 1}}).add(Operation::convolution, {.channels = 6});
  vae.decoder.add(Operation::convolution, {.channels = 32, .activation = Activation::leaky_relu, .slope = 0.2})
      .add(Operation::pixel_shuffle, {.stride = 2, .activation = Activation::silu})
      .add(Operation::transposed_convolution,
           {.channels = 8, .kernel = 3, .stride = 2, .padding = 1, .output_padding = 1, .groups = 8})
      .add(Operation::upsampling, {.stride = 2, .sources = {2}})
      .add(Operation::addition, {.activation = Activation::elu, .slope = 0.7, .sources = {-1, 3}});
  networks::randomise(vae.decoder, Key(4));
  return {.vae = vae, .classifier = std::nullopt, .metadata = {}};
}

TEST(CheckpointGraphs, LoadsEveryKindOfLayerThatWasSaved) {
  const Checkpoint saved = residual_example();
  const Safetensors file = to_safetensors(saved);
  const Checkpoint loaded = from_safetensors(parse_safetensors(serialise_safetensors(file), "memory"), "memory");
  expect_equal(loaded.vae.encoder, saved.vae.encoder);
  expect_equal(loaded.vae.decoder, saved.vae.decoder);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file.tensors) {
    names.push_back(name);
  }
  EXPECT_THAT(names, testing::ElementsAre("decoder.0.bias", "decoder.0.weight", "decoder.2.bias", "decoder.2.weight",
                                          "encoder.1.bias", "encoder.1.weight"));
  EXPECT_THAT(file.shape("decoder.2.weight", "memory"), testing::ElementsAre(8, 1, 3, 3));
}

TEST(CheckpointGraphs, LoadsRandomGraphsThatWereSaved) {
  for (std::uint64_t g = 0; g < 60; ++g) {
    // The decoder is random; a last reshape gives it the encoder's image, and the encoder takes what it needs.
    Checkpoint saved = residual_example();
    networks::LayerGraph decoder = networks::random_graph(Key(5000 + g), {.general = false});
    const std::int64_t latents = decoder.input_size();
    decoder.add(networks::Operation::reshape, {.shape = {decoder.output_size(), 1, 1}});
    networks::LayerGraph encoder{.inputs = {decoder.output()}};
    encoder.add(networks::Operation::convolution, {.channels = 2 * latents});
    saved.vae.decoder = decoder;
    saved.vae.encoder = encoder;
    const Checkpoint loaded = from_safetensors(to_safetensors(saved), "memory");
    expect_equal(loaded.vae.decoder, decoder);
  }
}

/// What is said when one field of a decoder's layer is replaced (or taken away, by a discarded value).
std::string message_with(std::size_t layer, const char* field, const nlohmann::json& value) {
  Safetensors file = to_safetensors(residual_example());
  nlohmann::json graph = nlohmann::json::parse(file.metadata["decoder"]);
  if (value.is_discarded()) {
    graph["layers"][layer].erase(field);
  } else {
    graph["layers"][layer][field] = value;
  }
  file.metadata["decoder"] = graph.dump();
  return message_of(file);
}

TEST(CheckpointGraphs, EachBadFieldOfALayerIsOneClearError) {
  const nlohmann::json nothing = nlohmann::json::value_t::discarded;
  const auto expect = [](const std::string& message, const std::string& text) {
    EXPECT_EQ(message, "[model.safetensors] " + text);
  };
  expect(
      message_with(0, "operation", "convolutoin"),
      "unknown operation of decoder.0 'convolutoin', did you mean 'convolution'? Known: convolution, "
      "transposed_convolution, addition, upsampling, pixel_shuffle, reshape, product, concatenation, slice, padding, "
      "transposition, mean, average_pooling, max_pooling, bilinear_resize, softmax");
  expect(message_with(0, "activation", "leaky-relu"),
         "unknown activation of decoder.0 'leaky-relu', did you mean 'leaky_relu'? Known: none, relu, leaky_relu, elu, "
         "silu, tanh, sigmoid, exp, clamp, softplus");
  expect(message_with(0, "activation", 3), "decoder.0: 'activation' must be a string, found 3");
  expect(message_with(0, "activation", nothing), "decoder.0: 'activation' must be a string, found nothing");
  expect(message_with(0, "group", 2),
         "unknown field of decoder.0 'group', did you mean 'groups'? Known: operation, activation, slope, low, "
         "high, source, channels, kernel, stride, padding, dilation, groups, output_padding");
  expect(message_with(0, "kernel", nothing), "decoder.0: 'kernel' must be an integer in 1 .. 16384, found nothing");
  expect(message_with(0, "slope", -1),
         "decoder.0: [networks.layer_graph] slope must be finite and not negative, got -1");
  expect(message_with(0, "slope", "x"), "decoder.0: 'slope' must be a finite number, found \"x\"");
  expect(message_with(1, "stride", 0), "decoder.1: 'stride' must be an integer in 1 .. 16384, found 0");
  expect(message_with(1, "stride", 3),
         "decoder.1: [networks.layer_graph] a pixel shuffle by 3 needs a multiple of 9 channels, got 32");
  expect(message_with(2, "groups", 0), "decoder.2: 'groups' must be an integer in 1 .. 16384, found 0");
  expect(message_with(2, "groups", 3),
         "decoder.2: 'groups' must divide the channels of input and output, 8 and 8, found 3");
  expect(message_with(2, "groups", 4),
         "tensor 'decoder.2.weight' must be F32 of shape [8, 2, 3, 3], found F32 of shape [8, 1, 3, 3]");
  expect(message_with(2, "output_padding", 2),
         "decoder.2: [networks.layer_graph] output_padding must be 0, or less than the stride of a transposed "
         "convolution; got 2");
  expect(message_with(2, "output_padding", 1.5),
         "decoder.2: 'output_padding' must be an integer in 0 .. 16384, found 1.5");
  expect(message_with(3, "source", 4), "decoder.3: 'source' must be an integer in 0 .. 3, found 4");
  expect(message_with(3, "source", -1), "decoder.3: 'source' must be an integer in 0 .. 3, found -1");
  expect(message_with(4, "sources", nothing), "decoder.4: 'sources' must be integers, found nothing");
  expect(message_with(4, "sources", {4, 5}), "decoder.4: 'sources' must be an integer in 0 .. 4, found 5");
  expect(message_with(4, "sources", {4}),
         "decoder.4: [networks.layer_graph] the number of sources of the operation addition must be 2, got 1");
  expect(
      message_with(4, "sources", {4, 1}),
      "decoder.4: [networks.layer_graph] an addition needs two equal shapes, or one of a single position and as many "
      "channels; boundaries 4 and 1 differ");
  expect(message_with(4, "other", 3), "decoder.4: 'sources' stands alone, without 'source' or 'other'");
}

TEST(CheckpointGraphs, HostileShapesAreRefusedBeforeTheyCost) {
  const auto with_layer = [](const std::string& layer) {
    Safetensors file = to_safetensors(residual_example());
    file.metadata["encoder"] = R"({"input":[8,4,4],"layers":[)" + layer + "]}";
    return message_of(file);
  };
  const auto reshape = [&](const std::string& shape) {
    return with_layer(R"({"operation":"reshape","activation":"none","shape":)" + shape + "}");
  };
  EXPECT_THAT(reshape("[128,1]"), testing::HasSubstr("encoder.0: 'shape' must be 3 integers, found [128,1]"));
  EXPECT_THAT(reshape("null"), testing::HasSubstr("found null"));
  EXPECT_THAT(reshape("[128,1,0]"), testing::HasSubstr("'shape' must be an integer in 1 .. 16777216, found 0"));
  EXPECT_THAT(reshape("[16777216,16384,16384]"),
              testing::HasSubstr("'shape' may have at most 16384 rows, 16384 columns and 16777216 values"));
  EXPECT_THAT(reshape("[16777217,1,1]"), testing::HasSubstr("1 .. 16777216, found 16777217"));
  EXPECT_THAT(reshape("[64,1,1]"), testing::HasSubstr("encoder.0: [networks.layer_graph] a reshape keeps the number"));
  const std::string upsampling = R"({"operation":"upsampling","activation":"none","stride":)";
  EXPECT_THAT(with_layer(upsampling + "16384}"), testing::HasSubstr("an output may have at most 16777216 values"));
  EXPECT_THAT(with_layer(upsampling + "1000}," + upsampling + "1000}"),
              testing::HasSubstr("encoder.0: an output may have at most 16777216 values"));
  // Channels are only believed when the tensors are there.
  EXPECT_THAT(with_layer(R"({"operation":"convolution","activation":"none","channels":16777216,"kernel":16384,)"
                         R"("stride":1,"padding":16384,"dilation":1})"),
              testing::HasSubstr("expected a tensor 'encoder.0.weight'"));
}

}  // namespace
}  // namespace vaeguard::models
