// vaeguard import: a model from outside, from two files to a defended image, and what is said of wrong files and words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/cli/program.h"
#include "tests/importers/onnx_writer.h"
#include "vaeguard/base/npz.h"
#include "vaeguard/models/checkpoint.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::cli {
namespace {

using importers::OnnxWriter;
using testing::HasSubstr;

constexpr std::int64_t kPixels = 784;

std::vector<float> wave(std::int64_t count) {
  std::vector<float> result;
  for (std::int64_t i = 0; i < count; ++i) {
    result.push_back(0.1F * std::sin(0.7F * static_cast<float>(i * i % 1009)));
  }
  return result;
}

class ImportEndToEnd : public testing::Test {
 protected:
  // 1 x 28 x 28 -> two latents and back, one product each; the decoder ends with a sigmoid.
  ImportEndToEnd() : folder_(fresh_folder()) {
    OnnxWriter encoder;
    encoder.input("image", {0, 1, 28, 28}).output("mean").output("log_variance");
    encoder.reals("m", {kPixels, 2}, wave(2 * kPixels))
        .reals("v", {kPixels, 2}, std::vector<float>(2 * kPixels, -0.01F));
    encoder.node("Flatten", {"image"}, {"flat"}).node("Gemm", {"flat", "m"}, {"mean"});
    encoder.node("Gemm", {"flat", "v"}, {"log_variance"}).save(folder_ / "encoder.onnx");
    OnnxWriter decoder;
    decoder.input("code", {0, 2}).output("image").reals("w", {2, kPixels}, wave(2 * kPixels));
    decoder.integers("shape", {0, 1, 28, 28}).node("Gemm", {"code", "w"}, {"row"}).node("Sigmoid", {"row"}, {"pixels"});
    decoder.node("Reshape", {"pixels", "shape"}, {"image"}).save(folder_ / "decoder.onnx");
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  Ended import_with(std::vector<std::string> more) const {
    std::vector<std::string> words{"import",
                                   "--encoder",
                                   path("encoder.onnx"),
                                   "--decoder",
                                   path("decoder.onnx"),
                                   "--out",
                                   path("model.safetensors")};
    words.insert(words.end(), more.begin(), more.end());
    return run(folder_, words);
  }

  void expect_refused(const std::vector<std::string>& more, const std::string& part) const {
    const Ended ended = import_with(more);
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.errors, testing::AllOf(testing::StartsWith("vaeguard: "), HasSubstr(part)));
    EXPECT_EQ(std::ranges::count(ended.errors, '\n'), 1) << ended.errors;
    EXPECT_FALSE(exists(folder_ / "model.safetensors"));
  }

  std::filesystem::path folder_;
};

TEST_F(ImportEndToEnd, AModelFromOutsideIsAttackedAndDefended) {
  const Ended imported = import_with({"--likelihood", "bernoulli"});
  ASSERT_EQ(imported.code, 0) << imported.errors;
  EXPECT_THAT(imported.output, HasSubstr("image 1 x 28 x 28 -> mean and log-variance of 2 latents, in two outputs"));
  EXPECT_THAT(imported.output, HasSubstr("multiply-adds an image"));
  EXPECT_THAT(imported.output, HasSubstr("the decoder's last sigmoid was taken away"));
  std::ofstream(path("shapes.toml")) << "[dataset]\nlayout = \"synthetic\"\ntrain = 60\nvalidation = 10\ntest = 20\n";
  const Ended attack = run(folder_, {"attack", path("model.safetensors"), "--dataset", path("shapes.toml"), "--radius",
                                     "0.1", "--references", "4", "--restarts", "1", "--out", path("attacked.npz")});
  ASSERT_EQ(attack.code, 0) << attack.errors;
  const Ended defend = run(folder_, {"defend", path("model.safetensors"), path("attacked.npz"), "--defence", "map",
                                     "--out", path("defended.npz")});
  ASSERT_EQ(defend.code, 0) << defend.errors;
  EXPECT_EQ(read_npz(path("defended.npz")).at("z_defended").shape, (std::vector<std::int64_t>{4, 2}));
}

TEST_F(ImportEndToEnd, AFileOfAFewLinesStandsForAnImportedModel) {
  std::ofstream(path("model.toml"))
      << "encoder = \"encoder.onnx\"\ndecoder = \"decoder.onnx\"\nlikelihood = \"bernoulli\"\n";
  std::ofstream(path("shapes.toml")) << "[dataset]\nlayout = \"synthetic\"\ntrain = 60\nvalidation = 10\ntest = 20\n";
  ASSERT_EQ(import_with({"--likelihood", "bernoulli"}).code, 0);
  for (const std::string model : {"model.toml", "model.safetensors"}) {
    const Ended attack = run(folder_, {"attack", path(model), "--dataset", path("shapes.toml"), "--references", "4",
                                       "--out", path(model + ".npz")});
    ASSERT_EQ(attack.code, 0) << attack.errors;
  }
  EXPECT_EQ(read_npz(path("model.toml.npz")), read_npz(path("model.safetensors.npz")));
  const Ended trained = run(folder_, {"train", "--vae-from", path("model.toml"), "--dataset", path("shapes.toml"),
                                      "--out", path("whole.safetensors"), "--quiet"});
  ASSERT_EQ(trained.code, 0) << trained.errors;
  EXPECT_TRUE(models::load_checkpoint(path("whole.safetensors")).classifier.has_value());
  std::ofstream(path("model.toml"))
      << "encoder = \"encoder.onnx\"\ndecoder = \"gone.onnx\"\nlikelihood = \"bernoulli\"\n";
  const Ended gone = run(folder_, {"check", path("model.toml")});
  EXPECT_EQ(gone.code, 2);
  EXPECT_THAT(gone.errors, HasSubstr("gone.onnx"));
}

TEST_F(ImportEndToEnd, AModelIsCheckedAndWhatIsWrongIsNamed) {
  std::ofstream(path("model.toml"))
      << "encoder = \"encoder.onnx\"\ndecoder = \"decoder.onnx\"\nlikelihood = \"bernoulli\"\n";
  const Ended good = run(folder_, {"check", path("model.toml")});
  ASSERT_EQ(good.code, 0) << good.output << good.errors;
  EXPECT_THAT(good.output, HasSubstr("made of layers (imported)"));
  EXPECT_THAT(good.output, HasSubstr("1 x 28 x 28"));
  EXPECT_THAT(good.output, HasSubstr("by native"));
  EXPECT_THAT(good.output, HasSubstr("the decoder's last sigmoid was taken away"));
  EXPECT_THAT(good.output, HasSubstr("a batch gives the same bits"));
  EXPECT_THAT(good.output, HasSubstr("classifier      none"));
  EXPECT_THAT(good.output, HasSubstr("vaeguard train --vae-from"));
  EXPECT_THAT(good.output, testing::EndsWith("\nall right\n"));

  // Pictures that the model knows nothing of.
  NpzArrays pictures;
  pictures.emplace("x", NpzArray{{2, 784}, std::vector<float>(2 * 784, 1.0F)});
  write_npz(path("pictures.npz"), pictures);
  const Ended strange = run(folder_, {"check", path("model.toml"), "--images", path("pictures.npz")});
  EXPECT_EQ(strange.code, 1);
  EXPECT_THAT(strange.errors, HasSubstr("model.toml is not as it should be: reconstruction"));
  pictures.emplace("y", pictures.at("x"));
  write_npz(path("pictures.npz"), pictures);
  const Ended which = run(folder_, {"check", path("model.toml"), "--images", path("pictures.npz")});
  EXPECT_EQ(which.code, 2);
  EXPECT_THAT(which.errors, HasSubstr("say which array are images (--array): x, y"));
  const Ended needless = run(folder_, {"check", path("model.toml"), "--likelihood", "gaussian"});
  EXPECT_EQ(needless.code, 2);
  EXPECT_THAT(needless.errors, HasSubstr("model.toml says them itself"));
  const Ended pixels = run(folder_, {"check", path("model.toml"), "--pixels=-1,1", "--layout", "together"});
  EXPECT_EQ(pixels.code, 2);
  EXPECT_THAT(pixels.errors, HasSubstr("only a TorchScript module (.pt) needs --layout, --pixels; "));
}

TEST_F(ImportEndToEnd, ACheckpointIsCheckedWithAFolderOfPictures) {
  const std::string zoo = VAEGUARD_SOURCE_DIR "/zoo/mnist_vae.safetensors";
  const Ended drawn = run(folder_, {"check", zoo});
  ASSERT_EQ(drawn.code, 0) << drawn.output << drawn.errors;
  EXPECT_THAT(drawn.output, HasSubstr("classifier      10 classes"));
  EXPECT_THAT(drawn.output, HasSubstr("pixel law       counted"));
  EXPECT_THAT(drawn.output, testing::Not(HasSubstr("must have a pixel law")));
  std::filesystem::create_directory(folder_ / "photos");
  const Ended none = run(folder_, {"check", zoo, "--images", path("photos")});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.errors, HasSubstr("at least 2 pictures are needed, found 0"));
}

TEST_F(ImportEndToEnd, OptionsReachTheModel) {
  ASSERT_EQ(import_with({"--likelihood", "gaussian", "--variance", "0.25", "--pixels", "-1,1", "--encoder-outputs",
                         "mean,log_variance", "--decoder-output", "image", "--decoder-gives", "mean"})
                .code,
            0);
  const models::Checkpoint checkpoint = models::load_checkpoint(path("model.safetensors"));
  EXPECT_EQ(models::describe(checkpoint.vae.likelihood), "gaussian, variance 0.25");
  EXPECT_EQ(checkpoint.vae.architecture, "imported");
  EXPECT_EQ(checkpoint.metadata.at("imported_encoder"), "encoder.onnx") << "no paths of this machine";
  // Grey in the middle is 0 in the files, so the encoder's means are 0.
  const models::Vae vae(checkpoint.vae);
  EXPECT_THAT(vae.encode(Matrix(1, kPixels, 0.5F)).mean.values(), testing::Each(testing::FloatNear(0.0F, 1e-4F)));
  // The sigmoid's 1 / 2, of -1 to 1, is 3 / 4 here.
  EXPECT_THAT(vae.decode(Matrix(1, 2, 0.0F)).values(), testing::Each(testing::FloatNear(0.75F, 1e-6F)));
}

TEST_F(ImportEndToEnd, TheEncoderMayTakeNormalisedImages) {
  const Ended imported = import_with({"--likelihood", "bernoulli", "--encoder-pixels", "-0.5,1.5"});
  ASSERT_EQ(imported.code, 0) << imported.errors;
  EXPECT_THAT(imported.output, HasSubstr("from -0.5 to 1.5 in the encoder's file"));
  std::ofstream(path("model.toml")) << "encoder = \"encoder.onnx\"\ndecoder = \"decoder.onnx\"\n"
                                       "likelihood = \"bernoulli\"\nencoder_pixels = [-0.5, 1.5]\n";
  const Ended checked = run(folder_, {"check", path("model.toml")});
  ASSERT_EQ(checked.code, 0) << checked.output << checked.errors;
  EXPECT_THAT(checked.output, HasSubstr("pixels: from -0.5 to 1.5 in the encoder's file"));
  EXPECT_THAT(checked.output, testing::Not(HasSubstr("in the decoder's file")));
}

TEST_F(ImportEndToEnd, WhatIsWrongIsOneClearLine) {
  expect_refused({}, "--likelihood is required");
  expect_refused({"--likelihood", "gausian"}, "did you mean 'gaussian'");
  expect_refused({"--likelihood", "gaussian", "--layout", "interleaved"}, "must have one output, it has 2");
  expect_refused({"--likelihood", "gaussian", "--image", "28x28"},
                 "--image must be channels x rows x columns, such as 1x28x28, got '28x28'");
  expect_refused({"--likelihood", "gaussian", "--image", "1x28x28x"}, "got '1x28x28x'");
  expect_refused({"--likelihood", "gaussian", "--image", "1x14x56"},
                 "images of 1 x 28 x 28, asked for are 1 x 14 x 56");
  expect_refused({"--likelihood", "gaussian", "--layout", "separated"}, "--layout");
  expect_refused({"--likelihood", "gaussian", "--encoder-outputs", "mean,logvar"}, "unknown output 'logvar'");
  std::ofstream(path("encoder.onnx")) << "not a model";
  expect_refused({"--likelihood", "gaussian"}, "encoder.onnx] expected an ONNX model, found 11 bytes");
  std::filesystem::remove(path("encoder.onnx"));
  expect_refused({"--likelihood", "gaussian"}, "encoder.onnx");
}

}  // namespace
}  // namespace vaeguard::cli
