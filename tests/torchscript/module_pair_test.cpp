// Modules as the halves of a VAE: they compute what they say, however they say it, and unfit ones are refused.
#include "vaeguard/torchscript/module_pair.h"

#include <cmath>

#include "tests/expect_misuse.h"
#include "tests/networks/agreement.h"
#include "tests/temporary_folder.h"
#include "tests/torchscript/modules.h"
#include "tests/torchscript/residual_vae.h"
#include "vaeguard/base/file.h"
#include "vaeguard/torchscript/torchscript.h"

namespace vaeguard::torchscript {
namespace {

using importers::DecoderOutput;
using importers::EncoderLayout;
using importers::ImportOptions;

constexpr ImageShape kImage{1, 2, 3};

// Of flat images of six pixels and two latents: the mean is x M, the log-variance x V, interleaved in x B.
const std::string kMeanAndVariance = "x = image.flatten(1)\n    mean = x @ self.m\n    log_variance = x @ self.v\n";

class ModulePairFile : public testing::Test {
 protected:
  std::filesystem::path encoder(const std::string& body, const std::string& result = "Tensor") {
    return save_module(folder_.path() / "encoder.pt", {{"m", wave({6, 2}, 1.0)}, {"v", wave({6, 2}, 0.5, 1.0)}},
                       "def forward(self, image: Tensor) -> " + result + ":\n    " + body + "\n");
  }
  std::filesystem::path decoder(const std::string& body, const std::string& result = "Tensor") {
    return save_module(folder_.path() / "decoder.pt", {{"w", wave({2, 6}, 1.0)}},
                       "def forward(self, code: Tensor) -> " + result + ":\n    " + body + "\n");
  }
  std::filesystem::path plain_encoder() {
    return encoder(kMeanAndVariance + "    return (mean, log_variance)", "Tuple[Tensor, Tensor]");
  }
  std::filesystem::path plain_decoder() { return decoder("return (code @ self.w).reshape(-1, 1, 2, 3)"); }
  plugins::ModulePair load(const ImportOptions& options) {
    return load_modules({folder_.path() / "encoder.pt", folder_.path() / "decoder.pt"}, options);
  }
  void expect_refusal(const std::vector<std::string>& words, ImportOptions options = gaussian()) {
    expect_misuse([&] { (void)load(options); }, words);
  }
  static ImportOptions gaussian() { return {.likelihood = models::gaussian(0.5), .image = kImage}; }

  // Of one image of zeros but for one pixel of ones.
  static Matrix encoded(const plugins::ModulePair& pair) {
    return networks::forward_all(*pair.encoder.function, Matrix(1, 6, {0, 1, 0, 0, 0, 0}), 1);
  }
  static Matrix decoded(const plugins::ModulePair& pair) {
    return networks::forward_all(*pair.decoder.function, Matrix(1, 2, {1, 0}), 1);
  }

  TemporaryFolder folder_;
};

// Rows 1 of m and v: waves of 0.7 i at i = 2, 3.
Matrix expected_encoding() {
  const auto at = [](double i, double scale, double phase) {
    return static_cast<float>(scale * std::sin(0.7 * i + phase));
  };
  return {1, 4, {at(2, 1, 0), at(3, 1, 0), at(2, 0.5, 1), at(3, 0.5, 1)}};
}

TEST_F(ModulePairFile, ExportedLayersComputeWhatTheLayersDo) {
  const models::VaeWeights vae = residual_vae();
  export_torchscript(vae, folder_.path());
  const auto pair = load({.likelihood = {}, .decoder_output = DecoderOutput::logits, .image = vae.image()});
  EXPECT_EQ(pair.encoder.function->backend(), "torchscript");
  EXPECT_EQ(pair.encoder.function->tangent_backend(), "torchscript");
  networks::expect_agrees(*pair.encoder.function, vae.encoder);
  networks::expect_agrees(*pair.decoder.function, vae.decoder);
  EXPECT_EQ(pair.encoder.parameters, static_cast<std::int64_t>(vae.encoder.parameters.size()));
  EXPECT_EQ(pair.encoder.operations.at("conv2d"), 3);
}

TEST_F(ModulePairFile, MeansAndLogVariancesAreFoundInEveryLayout) {
  plain_decoder();
  plain_encoder();
  const Matrix expected = expected_encoding();
  const auto expect_encoding = [&](const ImportOptions& options) {
    const Matrix found = encoded(load(options));
    ASSERT_EQ(found.columns(), 4);
    for (std::int64_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(found(0, i), expected(0, i), 1e-6) << i;
    }
  };
  expect_encoding(gaussian());
  encoder(kMeanAndVariance + "    return torch.cat([mean, log_variance], 1)");
  expect_encoding(gaussian());
  encoder(kMeanAndVariance + "    return torch.stack([mean, log_variance], 2).flatten(1)");
  ImportOptions options = gaussian();
  options.layout = EncoderLayout::interleaved;
  expect_encoding(options);

  encoder(kMeanAndVariance + "    return (mean + 1, log_variance, mean)", "Tuple[Tensor, Tensor, Tensor]");
  expect_refusal({"encoder.pt", "must give one output, it gives 3 (0 [1, 2], 1 [1, 2], 2 [1, 2])"},
                 {.likelihood = models::gaussian(0.5), .layout = EncoderLayout::together, .image = kImage});
  expect_refusal({"must give two outputs, it gives 3", "encoder_outputs"});
  options = gaussian();
  options.encoder_outputs = {"2", "1"};
  expect_encoding(options);
  encoder(kMeanAndVariance + "    return {'logvar': log_variance, 'z': mean + 1, 'mu': mean}", "Dict[str, Tensor]");
  options.encoder_outputs = {"mu", "logvar"};
  expect_encoding(options);
  options.encoder_outputs = {"mu", "lgovar"};
  expect_refusal({"unknown output 'lgovar'; outputs are logvar, z, mu"}, options);
}

TEST_F(ModulePairFile, DecodersGiveMeansOrLogitsAndTheLikelihoodGetsWhatItTakes) {
  plain_encoder();
  plain_decoder();
  const Matrix logits = decoded(load(gaussian()));
  EXPECT_NEAR(logits(0, 1), std::sin(0.7), 1e-6);
  ImportOptions bernoulli{.likelihood = models::bernoulli(), .image = kImage};
  EXPECT_EQ(decoded(load(bernoulli)), logits) << "values beyond 0 and 1 are no means";
  ImportOptions sigmoid = gaussian();
  sigmoid.decoder_output = DecoderOutput::logits;
  EXPECT_NEAR(decoded(load(sigmoid))(0, 1), 1.0 / (1.0 + std::exp(-std::sin(0.7))), 1e-6);
  bernoulli.decoder_output = DecoderOutput::mean;
  expect_refusal({"decoder.pt", "means must be from 0 to 1"}, bernoulli);

  decoder("return torch.sigmoid(code @ self.w)");
  for (const auto given : {DecoderOutput::automatic, DecoderOutput::mean}) {
    bernoulli.decoder_output = given;
    const auto pair = load(bernoulli);
    const Matrix undone = decoded(pair);
    for (std::int64_t i = 0; i < 6; ++i) {
      EXPECT_NEAR(undone(0, i), logits(0, i), 1e-5);
    }
    EXPECT_THAT(pair.summary.back().second, testing::HasSubstr("logits are found from them"));
  }
}

TEST_F(ModulePairFile, PixelsOfAnotherRangeAreScaledAtBothEnds) {
  plain_encoder();
  plain_decoder();
  ImportOptions options = gaussian();
  options.pixels = {-1.0, 1.0};
  const auto pair = load(options);
  const Matrix grey = networks::forward_all(*pair.encoder.function, Matrix(1, 6, 0.5F), 1);
  EXPECT_THAT(grey.values(), testing::Each(testing::FloatNear(0.0F, 1e-6F)));
  const Matrix middle = networks::forward_all(*pair.decoder.function, Matrix(1, 2, 0.0F), 1);
  EXPECT_THAT(middle.values(), testing::Each(0.5F));
}

TEST_F(ModulePairFile, PixelsOfTheEncoderMayBeOthers) {
  plain_encoder();
  plain_decoder();
  ImportOptions options = gaussian();
  options.encoder_pixels = {{-0.5, 1.5}};
  const auto pair = load(options);
  // 2 x - 0.5 is 0.
  const Matrix zeros = networks::forward_all(*pair.encoder.function, Matrix(1, 6, 0.25F), 1);
  EXPECT_THAT(zeros.values(), testing::Each(testing::FloatNear(0.0F, 1e-6F)));
  EXPECT_EQ(decoded(pair), decoded(load(gaussian())));
  EXPECT_EQ(pair.summary.back().second, "from -0.5 to 1.5 in the encoder's file, from 0 to 1 here");
  EXPECT_EQ(pair.summary.size(), load(gaussian()).summary.size() + 1);
  options = {.likelihood = models::bernoulli(), .image = kImage};
  options.encoder_pixels = {{-0.5, 1.5}};
  EXPECT_NO_THROW((void)load(options)) << "the decoder's pixels are from 0 to 1";
}

TEST_F(ModulePairFile, OneModuleOfConvolutionsAndAttentionHasCodesOfThreeExtents) {
  const auto file = save_attention_vae(folder_.path() / "vae.pt");
  const auto pair = load_modules({file, file}, {.likelihood = models::gaussian(0.1), .image = ImageShape{3, 8, 8}});
  EXPECT_EQ(pair.latents, (ImageShape{2, 4, 4}));
  EXPECT_EQ(pair.encoder.function->output_size(), 64);
  EXPECT_EQ(pair.encoder.function->tangent_backend(), "torchscript");
  EXPECT_EQ(pair.encoder.operations.at("group_norm"), 1);
  // Two convolutions, three products with weights, and the two of attention.
  EXPECT_EQ(pair.encoder.multiply_adds, 8 * 16 * 27 + 4 * 16 * 8 + 3 * 16 * 8 * 8 + 2 * 16 * 16 * 8);
  // Channels are the first extent, so all means come first.
  torch::jit::Module module = torch::jit::load(file.string());
  const torch::Tensor moments = module.get_method("encode")({torch::full({1, 3, 8, 8}, 0.25)}).toTensor();
  const Matrix rows = networks::forward_all(*pair.encoder.function, Matrix(1, 192, 0.25F), 1);
  EXPECT_NEAR(rows(0, 5), moments[0][0][1][1].item<float>(), 1e-5);
  EXPECT_NEAR(rows(0, 32 + 17), moments[0][3][0][1].item<float>(), 1e-5);
}

TEST_F(ModulePairFile, FlatImagesAndCodesOfOnePositionAreTried) {
  encoder("x = image @ self.m\n    return torch.cat([x, image @ self.v], 1)");
  decoder("assert code.dim() == 4\n    return code.flatten(1) @ self.w");
  const auto pair = load(gaussian());
  EXPECT_NEAR(encoded(pair)(0, 0), expected_encoding()(0, 0), 1e-6);
  EXPECT_NEAR(decoded(pair)(0, 1), std::sin(0.7), 1e-6);
}

TEST_F(ModulePairFile, TangentsAreDifferencesWhereNoSecondDerivativeExists) {
  plain_encoder();
  decoder(
      "places = torch.tanh(code).reshape(-1, 1, 1, 2).expand(-1, 2, 3, 2) * 0.3\n"
      "    picture = self.w.reshape(1, 1, 3, 4).expand(code.size(0), 1, 3, 4)\n"
      "    return torch.grid_sampler(picture, places, 0, 0, False)");
  const auto pair = load(gaussian());
  const auto& function = *pair.decoder.function;
  ASSERT_EQ(function.tangent_backend(), "differences");
  EXPECT_THAT(pair.summary.at(3).second, testing::HasSubstr("directional derivatives by differences"));
  const Matrix codes(2, 2, {0.3F, -0.2F, 0.1F, 0.4F});
  const Matrix along(2, 2, {1.0F, 2.0F, -0.01F, 0.02F});
  const auto tape = function.make_tape();
  Matrix outputs;
  Matrix gradients;
  Matrix tangents;
  function.forward(codes, outputs, *tape);
  function.tangent(along, tangents, *tape);
  for (std::int64_t pixel = 0; pixel < 6; ++pixel) {
    Matrix one(2, 6);
    one(0, pixel) = one(1, pixel) = 1.0F;
    function.backward(one, gradients, *tape);
    for (std::int64_t row = 0; row < 2; ++row) {
      const double exact = gradients(row, 0) * along(row, 0) + gradients(row, 1) * along(row, 1);
      const double size = std::abs(along(row, 1));
      EXPECT_NEAR(tangents(row, pixel), exact, 1e-3 * size) << row << " " << pixel;
    }
  }
}

TEST_F(ModulePairFile, NoRowsAreNoRows) {
  plain_encoder();
  plain_decoder();
  const auto& function = *load(gaussian()).encoder.function;
  const auto tape = function.make_tape();
  Matrix outputs;
  function.forward(Matrix(0, 6), outputs, *tape);
  EXPECT_EQ(outputs.rows(), 0);
  function.backward(Matrix(0, 4), outputs, *tape);
  EXPECT_EQ(outputs.rows(), 0);
}

TEST_F(ModulePairFile, RefusesRowsThatDependOnEachOtherAndValuesThatChange) {
  plain_encoder();
  decoder("return (code @ self.w).softmax(0)");
  expect_refusal({"decoder.pt", "must not depend on the rows beside it", "row 0 of 3"});
  decoder("return torch.dropout(code @ self.w, 0.5, True)");
  expect_refusal({"decoder.pt", "same values at each call", "dropout"});
  decoder("return (code @ self.w).sum(0, keepdim=True)");
  expect_refusal({"decoder.pt", "of 3 rows it must give [3, 6], it gave [1, 6]"});
  decoder("return (code.detach() @ self.w)");
  expect_refusal({"decoder.pt", "no_grad or a detach"});
}

TEST_F(ModulePairFile, SaysWhatAFileMustBe) {
  plain_decoder();
  write_file_atomically(folder_.path() / "encoder.pt", "no module");
  expect_refusal({"encoder.pt", "must hold a TorchScript module"});
  plain_encoder();
  ImportOptions options = gaussian();
  options.image.reset();
  expect_refusal({"encoder.pt", "image = [1, 28, 28]"}, options);
  options.image = ImageShape{1, 2, 4};
  expect_refusal({"encoder.pt", "takes none of the shapes", "on [1, 1, 2, 4]: RuntimeError: mat1 and mat2"}, options);
  expect_misuse(
      [&] {
        (void)load_modules({folder_.path() / "encoder.pt", folder_.path() / "encoder.pt"}, gaussian());
      },
      {"must have a method encode, it has forward"});
  encoder("return image.flatten(1)[:, :3]");
  expect_refusal({"in one output must be [n, 2 D, ...]; of one image it is [1, 3]"});
  encoder("return (image.flatten(1)[:, :3], image.flatten(1)[:, :2])", "Tuple[Tensor, Tensor]");
  expect_refusal({"of one shape; of one image they are 0 [1, 3], 1 [1, 2]"});
  encoder("return 1", "int");
  expect_refusal({"must give tensors, output 0 is a Int"});
  plain_encoder();
  decoder("return (code @ self.w)[:, :5]");
  expect_refusal({"decoder.pt", "must give an image of 1 x 2 x 3", "of one code it gives [1, 5]"});
  decoder("return (code, code @ self.w)", "Tuple[Tensor, Tensor]");
  expect_refusal({"decoder.pt", "must have one output, it has 2 (0 [1, 2], 1 [1, 6])"});
  options = gaussian();
  options.decoder_name = "1";
  EXPECT_NEAR(decoded(load(options))(0, 1), std::sin(0.7), 1e-6);
}

}  // namespace
}  // namespace vaeguard::torchscript
