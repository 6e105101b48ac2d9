// Pairs of TorchScript modules in the program: described by a file of a few lines, they are attacked, defended, run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/cli/program.h"
#include "tests/torchscript/modules.h"
#include "vaeguard/base/file.h"
#include "vaeguard/base/npz.h"
#include "vaeguard/runs/model_file.h"

namespace vaeguard::torchscript {
namespace {

using testing::HasSubstr;

class ModulesEndToEnd : public testing::Test {
 protected:
  // 1 x 16 x 16 -> two latents and back; the decoder ends with a sigmoid.
  ModulesEndToEnd() : folder_(cli::fresh_folder()) {
    save_encoder(0.1);
    save_module(folder_ / "decoder.pt", {{"w", wave({2, 256}, 1.0)}},
                "def forward(self, code: Tensor) -> Tensor:\n"
                "    return torch.sigmoid(code @ self.w).reshape(-1, 1, 16, 16)\n");
    write("model.toml",
          "encoder = \"encoder.pt\"\ndecoder = \"decoder.pt\"\nlikelihood = \"bernoulli\"\nimage = [1, 16, 16]\n");
    write("shapes.toml", "[dataset]\nlayout = \"synthetic\"\ntrain = 60\nvalidation = 10\ntest = 20\nsize = 16\n");
  }

  void save_encoder(double scale) const {
    save_module(folder_ / "encoder.pt", {{"m", wave({256, 2}, scale)}, {"v", wave({256, 2}, 0.01)}},
                "def forward(self, image: Tensor) -> Tuple[Tensor, Tensor]:\n"
                "    x = image.flatten(1)\n    return (x @ self.m, x @ self.v - 1.0)\n");
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] cli::Ended run(const std::vector<std::string>& words) const { return cli::run(folder_, words); }

  std::filesystem::path folder_;
};

TEST_F(ModulesEndToEnd, AreAttackedAndDefended) {
  const cli::Ended attack = run({"attack", path("model.toml"), "--dataset", path("shapes.toml"), "--references", "4",
                                 "--set", "iterations=5", "--out", path("attacked.npz")});
  ASSERT_EQ(attack.code, 0) << attack.errors;
  for (const char* defence : {"map", "hmc_short", "map_gaussian", "median"}) {
    const cli::Ended defend =
        run({"defend", path("model.toml"), path("attacked.npz"), "--defence", defence, "--out", path("defended.npz")});
    ASSERT_EQ(defend.code, 0) << defence << defend.errors;
    EXPECT_EQ(read_npz(path("defended.npz")).at("z_defended").shape, (std::vector<std::int64_t>{4, 2}));
  }
  const cli::Ended lawless = run({"defend", path("model.toml"), path("attacked.npz"), "--defence", "repair"});
  EXPECT_EQ(lawless.code, 2);
  EXPECT_THAT(lawless.errors, HasSubstr("must have a pixel law"));
}

TEST_F(ModulesEndToEnd, RunFromAPlanToTheReportAndKeepToTheirFiles) {
  write("plan.toml", "references = 4\n" + read_file(folder_ / "shapes.toml") + R"([model]
checkpoint = "model.toml"
[evaluation]
nll_images = 2
nll_draws = 4
[[attack]]
goal = "encoder_skl"
radii = [0.1]
iterations = 2
[[attack]]
goal = "maximum_damage"
optimiser = "apgd"
radii = [0.1]
iterations = 4
[[defence]]
preset = "none"
[[defence]]
preset = "map"
)");
  const std::vector<std::string> words{"run", path("plan.toml"), "--out", path("run")};
  const cli::Ended first = run(words);
  ASSERT_EQ(first.code, 0) << first.errors;
  EXPECT_THAT(read_file(folder_ / "run" / "environment.json"), HasSubstr("\"backend used\": \"torchscript\""));
  EXPECT_THAT(read_file(folder_ / "run" / "report.html"), HasSubstr("map"));
  EXPECT_THAT(read_file(folder_ / "run" / "measurements.csv"), HasSubstr("log_posterior_ratio"));
  save_encoder(0.2);
  const cli::Ended other = run(words);
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.errors, HasSubstr("has records with model weights \"sha256 "));
}

TEST_F(ModulesEndToEnd, TheirDigestCoversWhatTheDescriptionNames) {
  const std::string before = runs::digest_of_model(folder_ / "model.toml");
  EXPECT_EQ(runs::digest_of_model(folder_ / "model.toml"), before);
  save_encoder(0.2);
  const std::string after = runs::digest_of_model(folder_ / "model.toml");
  EXPECT_NE(after, before);
  write("model.toml", read_file(folder_ / "model.toml") + "layout = \"separate\"\n");
  EXPECT_NE(runs::digest_of_model(folder_ / "model.toml"), after);
}

TEST_F(ModulesEndToEnd, WhatNeedsLayersSaysSo) {
  const auto refused = [&](const std::vector<std::string>& words, const std::string& part) {
    const cli::Ended ended = run(words);
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.errors, testing::AllOf(HasSubstr("model.toml"), HasSubstr(part)));
    EXPECT_EQ(std::ranges::count(ended.errors, '\n'), 1) << ended.errors;
  };
  const std::string layers = " needs a model made of layers; this one is made of TorchScript modules";
  refused({"export", path("model.toml")}, "export" + layers);
  refused({"train", "--vae-from", path("model.toml"), "--dataset", path("shapes.toml"), "--quiet"},
          "vae_from" + layers);
  refused({"train", "--start", path("model.toml"), "--dataset", path("shapes.toml"), "--quiet"}, "training" + layers);
  const cli::Ended alone =
      run({"attack", path("encoder.pt"), "--dataset", path("shapes.toml"), "--out", path("attacked.npz")});
  EXPECT_EQ(alone.code, 2);
  EXPECT_THAT(alone.errors, HasSubstr("describe this one with module"));
  const cli::Ended backend = run({"--backend", "native", "attack", path("model.toml"), "--dataset", path("shapes.toml"),
                                  "--out", path("attacked.npz")});
  EXPECT_EQ(backend.code, 2);
  EXPECT_THAT(backend.errors, HasSubstr("leave the backend native out"));
}

TEST_F(ModulesEndToEnd, AreCheckedAndWhatDefencesMissIsNamed) {
  const cli::Ended ended = run({"check", path("model.toml")});
  ASSERT_EQ(ended.code, 0) << ended.output << ended.errors;
  EXPECT_THAT(ended.output, HasSubstr("made of TorchScript modules"));
  EXPECT_THAT(ended.output, HasSubstr("2 in 1 group: z 2 x 1 x 1"));
  EXPECT_THAT(ended.output, HasSubstr("1024 parameters, 1024 multiply-adds an image, by torchscript"));
  EXPECT_THAT(ended.output, HasSubstr("matmul 2"));
  EXPECT_THAT(ended.output, HasSubstr("off finite differences, relatively: all right"));
  EXPECT_THAT(ended.output, HasSubstr("the model must have a pixel law, it has none"));
  EXPECT_THAT(ended.output, HasSubstr("export this one as ONNX"));
  EXPECT_THAT(ended.output, testing::EndsWith("\nall right\n"));
}

TEST_F(ModulesEndToEnd, OneModuleIsCheckedWithWordsOfTheCommandLine) {
  save_attention_vae(folder_ / "vae.pt");
  const cli::Ended ended = run({"check", path("vae.pt"), "--likelihood", "gaussian", "--image", "3x8x8"});
  ASSERT_EQ(ended.code, 0) << ended.output << ended.errors;
  EXPECT_THAT(ended.output, HasSubstr("32 in 1 group: z 2 x 4 x 4"));
  EXPECT_THAT(ended.output, HasSubstr("group_norm 1"));
  const cli::Ended silent = run({"check", path("vae.pt")});
  EXPECT_EQ(silent.code, 2);
  EXPECT_THAT(silent.errors, HasSubstr("does not say its likelihood"));
}

}  // namespace
}  // namespace vaeguard::torchscript
