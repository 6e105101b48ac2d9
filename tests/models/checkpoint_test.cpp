// Checkpoints: what is saved is loaded, Python reads it, and foreign or damaged files are refused.
#include "vaeguard/models/checkpoint.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <memory>

#include <nlohmann/json.hpp>

#include "tests/models/learned_prior.h"
#include "tests/models/made_up_law.h"
#include "tests/networks/random_graph.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/random.h"

namespace vaeguard::models {
namespace {

Checkpoint example() {
  VaeWeights vae{.architecture = "tiny",
                 .encoder = {.inputs = {{1, 4, 4}}},
                 .decoder = {.inputs = {{2, 1, 1}}},
                 .likelihood = {.kind = LikelihoodKind::gaussian, .variance = 0.3}};
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

void expect_equal(const networks::LayerGraph& found, const networks::LayerGraph& expected) {
  EXPECT_EQ(found.inputs, expected.inputs);
  EXPECT_EQ(found.outputs, expected.outputs);
  EXPECT_EQ(found.parameters, expected.parameters);
  EXPECT_EQ(networks::trace_of(found), networks::trace_of(expected));
}

/// Three latents and an image of 8 x 4 x 4; its decoder has a layer of every kind.
Checkpoint residual_example() {
  using networks::Activation;
  using networks::Operation;
  VaeWeights vae{.architecture = "residual",
                 .encoder = {.inputs = {{8, 4, 4}}},
                 .decoder = {.inputs = {{3, 1, 1}}},
                 .likelihood = {.kind = LikelihoodKind::gaussian, .variance = 1.0}};
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

std::string message_of(const Safetensors& file) {
  try {
    from_safetensors(file, "model.safetensors");
  } catch (const Misuse& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Checkpoint, LoadsWhatWasSaved) {
  const auto file = std::filesystem::temp_directory_path() / "vaeguard_checkpoint_test.safetensors";
  const Checkpoint saved = example();
  save_checkpoint(saved, file);
  const Checkpoint loaded = load_checkpoint(file);
  std::filesystem::remove(file);
  expect_equal(loaded.vae.encoder, saved.vae.encoder);
  expect_equal(loaded.vae.decoder, saved.vae.decoder);
  EXPECT_EQ(loaded.vae.architecture, "tiny");
  EXPECT_EQ(loaded.vae.likelihood, saved.vae.likelihood);
  EXPECT_EQ(loaded.classifier, saved.classifier);
  EXPECT_EQ(loaded.metadata, saved.metadata);
}

TEST(Checkpoint, NeedsNoClassifierAndToleratesTensorsOfOthers) {
  Checkpoint checkpoint = example();
  checkpoint.classifier.reset();
  Safetensors file = to_safetensors(checkpoint);
  file.tensors["optimiser.first"] = Tensor::of({1}, std::vector<float>{1.0F});
  EXPECT_FALSE(from_safetensors(file, "memory").classifier.has_value());
}

Checkpoint learned_example() {
  Checkpoint checkpoint = example();
  checkpoint.vae.prior = learned_prior(2, Key(6), {.couplings = 3, .hidden = 4, .bound = 1.5});
  return checkpoint;
}

TEST(Checkpoint, LoadsThePriorThatWasSaved) {
  const Checkpoint saved = learned_example();
  const auto bytes = serialise_safetensors(to_safetensors(saved));
  const Checkpoint loaded = from_safetensors(parse_safetensors(bytes, "memory"), "memory");
  ASSERT_EQ(loaded.vae.prior.couplings.size(), 3U);
  for (std::size_t k = 0; k < 3; ++k) {
    expect_equal(loaded.vae.prior.couplings[k], saved.vae.prior.couplings[k]);
  }
  EXPECT_EQ(loaded.vae.prior.bound, 1.5);
  EXPECT_EQ(loaded.metadata, saved.metadata) << "the prior's entries are the format's own";
}

TEST(Checkpoint, AStandardNormalLeavesTheFileAsItWas) {
  const Safetensors file = to_safetensors(example());
  EXPECT_FALSE(file.metadata.contains("prior"));
  EXPECT_EQ(file.metadata.at("format_version"), "1");
  EXPECT_TRUE(from_safetensors(file, "memory").vae.prior.couplings.empty());
  EXPECT_EQ(to_safetensors(learned_example()).metadata.at("format_version"), "2")
      << "a program that knows no learned prior must refuse the file";
}

TEST(Checkpoint, DamagedPriorsAreRefused) {
  const Safetensors whole = to_safetensors(learned_example());
  const auto after = [&](const std::function<void(Safetensors&)>& damage) {
    Safetensors file = whole;
    damage(file);
    return message_of(file);
  };
  EXPECT_EQ(after([](Safetensors&) {}), "accepted");
  EXPECT_THAT(after([](Safetensors& file) { file.tensors.erase("prior.1.2.weight"); }),
              testing::HasSubstr("tensor 'prior.1.2.weight'"));
  EXPECT_THAT(after([](Safetensors& file) { file.metadata.erase("prior"); }),
              testing::HasSubstr("the tensor 'prior.0.0.bias' needs the metadata entry 'prior', found none"));
  EXPECT_THAT(after([](Safetensors& file) { file.metadata.erase("prior.2"); }), testing::HasSubstr("'prior.2'"));
  EXPECT_THAT(after([](Safetensors& file) { file.metadata["prior.0"] = file.metadata["encoder"]; }),
              testing::HasSubstr("prior.0.0"));
  const auto described = [&](const std::string& text) {
    return after([&](Safetensors& file) { file.metadata["prior"] = text; });
  };
  EXPECT_THAT(described("[1, 2]"),
              testing::HasSubstr("must be a JSON object whose 'kind' is 'realnvp', found '[1, 2]'"));
  EXPECT_THAT(described(R"({"kind": "vamp"})"), testing::HasSubstr("whose 'kind' is 'realnvp'"));
  EXPECT_THAT(described(R"({"kind": "realnvp", "couplings": 99, "bound": 2.0})"),
              testing::HasSubstr("'couplings' must be an integer in 1 .. 64, found 99"));
  EXPECT_THAT(described(R"({"kind": "realnvp", "couplings": 3, "bound": 0})"),
              testing::HasSubstr("bound must be finite and > 0, got 0"));
  EXPECT_THAT(described(R"({"kind": "realnvp", "couplings": 3})"), testing::HasSubstr("'bound' must be a number"));
  EXPECT_THAT(described(R"({"kind": "realnvp", "couplings": 3, "bound": 1, "mask": 1})"), testing::HasSubstr("'mask'"));
  EXPECT_EQ(after([](Safetensors& file) {
              Checkpoint other = learned_example();
              other.vae.prior = learned_prior(4, Key(6), {.couplings = 3, .hidden = 4});
              const Safetensors parts = to_safetensors(other);
              for (const auto& [name, tensor] : parts.tensors) {
                file.tensors[name] = tensor;
              }
              for (const std::string key : {"prior.0", "prior.1", "prior.2"}) {
                file.metadata[key] = parts.metadata.at(key);
              }
            }),
            "[model.safetensors] coupling 0 of the prior must take 1 of 2 latents and give 2 values, it takes 2 and "
            "gives 4");
}

TEST(Checkpoint, LoadsThePixelLawThatWasSaved) {
  Checkpoint saved = example();
  PixelLaw law = made_up_law();
  law.weight[7] = 0.1;
  saved.vae.pixel_law = std::make_shared<const PixelLaw>(law);
  const auto bytes = serialise_safetensors(to_safetensors(saved));
  const Checkpoint loaded = from_safetensors(parse_safetensors(bytes, "memory"), "memory");
  ASSERT_NE(loaded.vae.pixel_law, nullptr);
  EXPECT_EQ(loaded.vae.pixel_law->first, law.first);
  EXPECT_EQ(loaded.vae.pixel_law->spacing, law.spacing);
  EXPECT_EQ(loaded.vae.pixel_law->probability, law.probability);
  ASSERT_EQ(loaded.vae.pixel_law->weight.size(), law.weight.size());
  for (std::size_t node = 0; node < law.weight.size(); ++node) {
    EXPECT_FLOAT_EQ(static_cast<float>(loaded.vae.pixel_law->weight[node]), static_cast<float>(law.weight[node]));
  }
  EXPECT_EQ(from_safetensors(to_safetensors(example()), "memory").vae.pixel_law, nullptr);
}

TEST(Checkpoint, DamagedPixelLawsAreRefused) {
  const auto with = [](const std::string& tensor, std::vector<std::int64_t> shape, std::vector<float> values) {
    Checkpoint checkpoint = example();
    checkpoint.vae.pixel_law = std::make_shared<const PixelLaw>(made_up_law());
    Safetensors file = to_safetensors(checkpoint);
    file.tensors[tensor] = Tensor::of(std::move(shape), values);
    return message_of(file);
  };
  const auto probabilities = [](float first) {
    std::vector<float> values = made_up_law().probability.values();
    values.front() = first;
    return values;
  };
  EXPECT_EQ(with("pixel_law.probability", {33, 256}, probabilities(0.5F)), "accepted");
  EXPECT_THAT(with("pixel_law.probability", {33, 256}, probabilities(0.0F)),
              testing::HasSubstr("must be finite and > 0, got 0 for node 0, level 0"));
  EXPECT_THAT(with("pixel_law.probability", {33, 256}, probabilities(std::nanf(""))),
              testing::HasSubstr("tensor 'pixel_law.probability' must be finite, found nan at position 0"));
  EXPECT_THAT(with("pixel_law.probability", {256, 33}, probabilities(0.5F)),
              testing::HasSubstr("tensor 'pixel_law.weight' must be F32 of shape [256], found F32 of shape [33]"));
  EXPECT_THAT(with("pixel_law.probability", {33}, std::vector<float>(33, 0.5F)),
              testing::HasSubstr("tensor 'pixel_law.probability' must be F32 of shape [33, 256]"));
  EXPECT_THAT(with("pixel_law.weight", {32}, std::vector<float>(32)),
              testing::HasSubstr("tensor 'pixel_law.weight' must be F32 of shape [33]"));
  EXPECT_THAT(with("pixel_law.grid", {1}, {0.0F}),
              testing::HasSubstr("tensor 'pixel_law.grid' must be F32 of shape [2]"));
  EXPECT_THAT(with("pixel_law.grid", {2}, {-8.0F, 0.0F}), testing::HasSubstr("spacing > 0, got -8 and 0"));
  Checkpoint checkpoint = example();
  checkpoint.vae.pixel_law = std::make_shared<const PixelLaw>(made_up_law());
  for (const char* missing : {"pixel_law.grid", "pixel_law.weight"}) {
    Safetensors file = to_safetensors(checkpoint);
    file.tensors.erase(missing);
    EXPECT_THAT(message_of(file), testing::HasSubstr(std::string("expected a tensor '") + missing));
  }
}

TEST(Checkpoint, PythonReadsItByTheFormatsDescription) {
  if (std::system("/usr/bin/python3 -c 'import numpy' 2>/dev/null") != 0) {
    GTEST_SKIP() << "python3 with numpy is not installed";
  }
  const auto file = std::filesystem::temp_directory_path() / "vaeguard_checkpoint_python_test.safetensors";
  Checkpoint checkpoint = example();
  std::ranges::fill(checkpoint.vae.encoder.weight(checkpoint.vae.encoder.layers[0]), 0.5F);
  save_checkpoint(checkpoint, file);
  const std::string command =
      "/usr/bin/python3 " VAEGUARD_SOURCE_DIR "/tests/models/read_safetensors.py " + file.string();
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
  std::string output;
  std::array<char, 256> line{};
  while (fgets(line.data(), line.size(), pipe.get()) != nullptr) {
    output += line.data();
  }
  std::filesystem::remove(file);
  EXPECT_THAT(output, testing::HasSubstr("format vaeguard.checkpoint\n"));
  EXPECT_THAT(output, testing::HasSubstr("classifier.bias [3] 6\n"));
  EXPECT_THAT(output, testing::HasSubstr("encoder.0.weight [3, 1, 3, 3] 13.5\n"));
  EXPECT_THAT(output, testing::HasSubstr("decoder.0.weight [2, 1, 2, 2] "));
}

TEST(Checkpoint, AForeignFileIsNamedAsSuch) {
  Safetensors file;
  EXPECT_EQ(
      message_of(file),
      "[model.safetensors] expected a checkpoint with the metadata entry format = 'vaeguard.checkpoint', found none");
  file = to_safetensors(example());
  file.metadata["format_version"] = "99";
  EXPECT_THAT(message_of(file), testing::HasSubstr("format_version 1, 2 and 3, found '99'"));
}

TEST(Checkpoint, MessagesNameTheTensorItsShapeAndTheFinding) {
  Safetensors file = to_safetensors(example());
  file.tensors["encoder.1.weight"] = Tensor::of({1}, std::vector<float>{1.0F});
  EXPECT_EQ(message_of(file),
            "[model.safetensors] tensor 'encoder.1.weight' must be F32 of shape [4, 3, 2, 2], found F32 of shape [1]");
  file.tensors.erase("encoder.1.weight");
  EXPECT_THAT(message_of(file), testing::HasSubstr("expected a tensor 'encoder.1.weight'"));
  file = to_safetensors(example());
  file.tensors["decoder.0.bias"] = Tensor::of({1}, std::vector<double>{1.0});
  EXPECT_THAT(message_of(file), testing::HasSubstr("tensor 'decoder.0.bias' must be F32 of shape [1], found F64"));
  file.tensors["decoder.0.bias"] = Tensor::of({1}, std::vector<float>{std::numeric_limits<float>::quiet_NaN()});
  EXPECT_THAT(message_of(file), testing::HasSubstr("tensor 'decoder.0.bias' must be finite, found nan at position 0"));
}

TEST(Checkpoint, RefusesDescriptionsThatMakeNoVae) {
  const auto with = [](const std::string& key, const std::string& value) {
    Safetensors file = to_safetensors(example());
    file.metadata[key] = value;
    return message_of(file);
  };
  const std::string layer =
      R"({"operation":"convolution","channels":3,"kernel":3,"stride":2,"padding":1,"dilation":1,"activation":"relu"})";
  for (const std::string& bad :
       {std::string("no json"), std::string("{}"), std::string(R"({"input":[1,4],"layers":[]})"),
        R"({"input":[1,4,"x"],"layers":[)" + layer + "]}", R"({"input":[0,4,4],"layers":[)" + layer + "]}",
        R"({"input":[16384,16384,16384],"layers":[)" + layer + "]}",
        R"({"input":[1,4,4],"layers":[3]})" + std::string(), R"({"input":[1,4,4],"layers":[)" + layer + "]}"}) {
    EXPECT_THAT(with("encoder", bad), testing::StartsWith("[model.safetensors] ")) << bad;
  }
  EXPECT_THAT(with("likelihood", "poisson"), testing::HasSubstr("found 'poisson'"));
  EXPECT_THAT(with("likelihood_variance", "-1"), testing::HasSubstr("found '-1'"));
}

TEST(Checkpoint, LoadsEveryKindOfLayerThatWasSaved) {
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

TEST(Checkpoint, LoadsRandomGraphsThatWereSaved) {
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

TEST(Checkpoint, ASimpleChainsFileHasNoFieldsOfLaterVersions) {
  EXPECT_EQ(to_safetensors(example()).metadata["encoder"],
            R"({"input":[1,4,4],"layers":[{"activation":"relu","channels":3,"dilation":1,"kernel":3,)"
            R"("operation":"convolution","padding":1,"stride":2},{"activation":"none","channels":4,"dilation":1,)"
            R"("kernel":2,"operation":"convolution","padding":0,"stride":1}]})");
}

TEST(Checkpoint, TheTrainedModelOfTheZooLoads) {
  const Checkpoint checkpoint = load_checkpoint(VAEGUARD_SOURCE_DIR "/zoo/mnist_vae.safetensors");
  EXPECT_EQ(checkpoint.vae.image(), (ImageShape{1, 28, 28}));
  for (const auto* graph : {&checkpoint.vae.encoder, &checkpoint.vae.decoder}) {
    for (std::size_t l = 0; l < graph->layers.size(); ++l) {
      EXPECT_EQ(graph->layers[l].groups, 1);
      EXPECT_EQ(graph->layers[l].output_padding, 0);
      EXPECT_EQ(graph->layers[l].source(), static_cast<std::int64_t>(l));
    }
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

TEST(Checkpoint, EachBadFieldOfALayerIsOneClearError) {
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

TEST(Checkpoint, HostileShapesAreRefusedBeforeTheyCost) {
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

TEST(Checkpoint, RefusesMetadataKeysOfTheFormat) {
  Checkpoint checkpoint = example();
  checkpoint.metadata["encoder"] = "mine";
  EXPECT_THROW(to_safetensors(checkpoint), Misuse);
}

}  // namespace
}  // namespace vaeguard::models
