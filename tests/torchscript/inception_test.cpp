// Feature files: what modules are given, what they may give, and how each that cannot be is refused.
#include "vaeguard/torchscript/inception.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include <cmath>
#include <string>

#include "tests/cli/program.h"
#include "tests/expect_misuse.h"
#include "tests/temporary_folder.h"
#include "tests/tiny_plan.h"
#include "vaeguard/base/file.h"
#include "vaeguard/base/random.h"

namespace vaeguard::torchscript {
namespace {

constexpr ImageShape kGrey{1, 8, 8};

class InceptionFile : public testing::Test {
 protected:
  /// Saves a module with this forward.
  std::filesystem::path save(const std::string& forward) {
    torch::jit::Module module("Features");
    module.define(forward);
    const auto file = folder_.path() / "features.pt";
    module.save(file.string());
    return file;
  }
  std::vector<metrics::Features> extract(const std::string& forward, const Matrix& images,
                                         const ImageShape& shape = kGrey, int threads = 1) {
    return load_inception(save(forward))->extract(images, shape, threads, silent_observer());
  }
  void expect_refusal(const std::string& forward, const std::vector<std::string>& words) {
    expect_misuse([&] { extract(forward, Matrix(3, 64, 0.5F)); }, words);
  }

  TemporaryFolder folder_;
};

Matrix some_images(std::int64_t rows, const ImageShape& shape) {
  Matrix images(rows, shape.size());
  fill_uniform(Key(1), 0.0F, 1.0F, images.flat());
  return images;
}

TEST_F(InceptionFile, ModulesGetPixelsOfEightBitsInThreeChannels) {
  const Matrix images = some_images(5, kGrey);
  // The channels' sum: three times the grey image.
  const auto features =
      extract("def forward(self, x: Tensor) -> Tensor:\n    return x.sum(1).reshape([-1, 64])\n", images);
  ASSERT_EQ(features.size(), 1U);
  EXPECT_EQ(features[0].metric, "fid_64");
  for (std::int64_t i = 0; i < images.rows(); ++i) {
    for (std::int64_t j = 0; j < images.columns(); ++j) {
      EXPECT_NEAR(features[0].values(i, j), 3.0 * std::round(255.0 * images(i, j)) / 255.0, 1e-6);
    }
  }
}

TEST_F(InceptionFile, AModuleWithReturnFeaturesGetsBytesAndIsAskedForThem) {
  const ImageShape colour{3, 8, 8};
  const Matrix images = some_images(2, colour);
  const auto features = extract(
      "def forward(self, img: Tensor, fp16: bool = False, return_features: bool = False) -> Tensor:\n"
      "    assert img.dtype == 0\n"
      "    x = img.to(6).reshape([-1, 192])\n"
      "    if not return_features:\n"
      "        x = x[:, :10]\n"
      "    return x\n",
      images, colour);
  ASSERT_EQ(features.size(), 1U);
  EXPECT_EQ(features[0].metric, "fid_192");
  EXPECT_EQ(features[0].values(1, 191), std::round(255.0F * images(1, 191)));
}

TEST_F(InceptionFile, SeveralSetsOfOnePassAreToldApartAndMapsAreAveraged) {
  const auto features = extract(
      "def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:\n"
      "    maps = x[:, :1].repeat([1, 64, 1, 1])\n"
      "    return (x.reshape([-1, 192]), maps)\n",
      some_images(2, kGrey));
  ASSERT_EQ(features.size(), 2U);
  EXPECT_EQ(features[0].metric, "fid_64");
  EXPECT_EQ(features[1].metric, "fid_192");
  double mean = 0.0;
  for (std::int64_t j = 0; j < 64; ++j) {
    mean += features[1].values(0, j) / 64.0;
  }
  EXPECT_NEAR(features[0].values(0, 7), mean, 1e-6);
  const auto listed = extract("def forward(self, x: Tensor) -> List[Tensor]:\n    return [x.reshape([-1, 192])]\n",
                              some_images(2, kGrey));
  EXPECT_EQ(listed.at(0).values, features[1].values);
}

TEST_F(InceptionFile, ThreadsChangeNothing) {
  const char* forward = "def forward(self, x: Tensor) -> Tensor:\n    return torch.tanh(x).sum(1).reshape([-1, 64])\n";
  const Matrix images = some_images(50, kGrey);
  EXPECT_EQ(extract(forward, images, kGrey, 1)[0].values, extract(forward, images, kGrey, 3)[0].values);
}

TEST_F(InceptionFile, SaysWhatAFileMustBe) {
  const auto text = folder_.path() / "text.pt";
  write_file_atomically(text, "no module");
  expect_misuse([&] { load_inception(text); }, {"text.pt", "must hold a TorchScript module"});
  expect_refusal("def forward(self, x: Tensor) -> Tensor:\n    return x.reshape([-1, 192])[:, :100]\n",
                 {"features.pt", "F one of 64, 192, 768, 2048", "[3, 100]"});
  expect_refusal("def forward(self, x: Tensor) -> Tensor:\n    return x.reshape([1, -1])\n", {"[1, 576]"});
  expect_refusal("def forward(self, x: Tensor) -> int:\n    return 1\n", {"it gave a Int"});
  expect_refusal(
      "def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:\n"
      "    y = x.reshape([-1, 192])\n    return (y, y)\n",
      {"each size of features once, it gave 192 2 times"});
  expect_refusal("def forward(self, x: Tensor) -> Tensor:\n    return x.reshape([-1, 7])\n",
                 {"forward failed on images [3, 3, 8, 8]"});
  expect_misuse(
      [&] {
        extract("def forward(self, x: Tensor) -> Tensor:\n    return x\n", Matrix(1, 128, 0.5F), ImageShape{2, 8, 8});
      },
      {"1 or 3 channels, got 2"});
}

TEST(InceptionEndToEnd, AFinishedRunIsGivenFidLaterAndKeepsToOneFile) {
  const TemporaryFolder folder;
  const auto save = [&](const std::string& name, const std::string& factor) {
    torch::jit::Module module("Features");
    module.define("def forward(self, x: Tensor) -> Tensor:\n    return x[:, 0, :8, :8].reshape([-1, 64]) * " + factor +
                  "\n");
    module.save((folder.path() / name).string());
    return (folder.path() / name).string();
  };
  std::string plan = tiny_plan("[[defence]]\npreset = \"none\"\n");
  const auto plan_file = folder.path() / "tiny.toml";
  write_file_atomically(plan_file, plan);
  const auto out = folder.path() / "run";
  const auto run = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"run", plan_file.string(), "--out", out.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return cli::run(folder.path(), arguments);
  };
  EXPECT_THAT(run({"--inception", save("a.pt", "1.0")}).errors,
              testing::HasSubstr("frechet_images must be at least 2"));
  plan.replace(plan.find("nll_images"), 0, "frechet_images = 20\n");
  write_file_atomically(plan_file, plan);
  ASSERT_EQ(run({}).code, 0);
  EXPECT_THAT(read_file(out / "measurements.csv"), testing::Not(testing::HasSubstr("fid_64")));
  ASSERT_EQ(run({"--inception", save("a.pt", "1.0")}).code, 0);
  EXPECT_THAT(read_file(out / "measurements.csv"), testing::HasSubstr("inception,synthetic,vae,clean"));
  EXPECT_THAT(read_file(out / "measurements.csv"), testing::HasSubstr("fid_64"));
  EXPECT_THAT(read_file(out / "report.html"), testing::HasSubstr("FID, 64 features"));
  ASSERT_EQ(run({}).code, 0);
  EXPECT_THAT(read_file(out / "environment.json"), testing::HasSubstr("\"inception\": \"sha256 "));
  const cli::Ended other = run({"--inception", save("b.pt", "2.0")});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.errors, testing::HasSubstr("has records with inception \"sha256 "));
}

}  // namespace
}  // namespace vaeguard::torchscript
