// Checkpoints: what is saved is loaded, Python reads it, and foreign or damaged files are refused.
#include "vaeguard/models/checkpoint.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <memory>

#include "tests/models/checkpoint_fixtures.h"
#include "tests/models/learned_prior.h"
#include "tests/models/made_up_law.h"
#include "vaeguard/models/prior_design.h"

namespace vaeguard::models {
namespace {

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

TEST(Checkpoint, LoadsEveryLikelihoodAndPriorThatWasSaved) {
  Checkpoint saved = example();
  for (const LikelihoodEntry& likelihood : likelihoods()) {
    for (const PriorEntry& prior : priors()) {
      saved.vae.likelihood = likelihood.usual;
      saved.vae.prior = prior.usual.make(2, Key(6));
      const Checkpoint loaded = from_safetensors(to_safetensors(saved), "memory");
      EXPECT_EQ(loaded.vae.likelihood, likelihood.usual);
      EXPECT_EQ(design_of(loaded.vae.prior), prior.usual);
      EXPECT_EQ(loaded.metadata, saved.metadata);
    }
  }
  saved.vae.likelihood = bernoulli();
  EXPECT_EQ(to_safetensors(saved).metadata.at("likelihood_variance"), "1") << "older programs read one of each";
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

TEST(Checkpoint, RefusesMetadataKeysOfTheFormat) {
  Checkpoint checkpoint = example();
  checkpoint.metadata["encoder"] = "mine";
  EXPECT_THROW(to_safetensors(checkpoint), Misuse);
}

}  // namespace
}  // namespace vaeguard::models
