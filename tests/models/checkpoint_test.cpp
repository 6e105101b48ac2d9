// Checkpoints: what is saved is loaded, Python reads it, and foreign or damaged files are refused.
#include "vaeguard/models/checkpoint.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>

#include "vaeguard/base/error.h"
#include "vaeguard/base/random.h"

namespace vaeguard::models {
namespace {

Checkpoint example() {
  VaeWeights vae{.architecture = "tiny",
                 .encoder = {.input = {1, 4, 4}, .layers = {}, .parameters = {}},
                 .decoder = {.input = {2, 1, 1}, .layers = {}, .parameters = {}},
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
  EXPECT_EQ(found.parameters, expected.parameters);
  ASSERT_EQ(found.layers.size(), expected.layers.size());
  for (std::size_t i = 0; i < found.layers.size(); ++i) {
    EXPECT_EQ(describe(found.layers[i]), describe(expected.layers[i]));
  }
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
  EXPECT_THAT(message_of(file), testing::HasSubstr("format_version 1, found '99'"));
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
  EXPECT_THAT(with("likelihood", "laplace"), testing::HasSubstr("found 'laplace'"));
  EXPECT_THAT(with("likelihood_variance", "-1"), testing::HasSubstr("found '-1'"));
}

TEST(Checkpoint, RefusesMetadataKeysOfTheFormat) {
  Checkpoint checkpoint = example();
  checkpoint.metadata["encoder"] = "mine";
  EXPECT_THROW(to_safetensors(checkpoint), Misuse);
}

}  // namespace
}  // namespace vaeguard::models
