// What a defence inferred, read back from its file: chains with their variances and first divergences, too.
#include "vaeguard/runs/inference_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/expect_misuse.h"
#include "tests/temporary_folder.h"
#include "vaeguard/base/npz.h"

namespace vaeguard::runs {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Of `images` images with codes of two dimensions and images of three pixels.
defences::Inference inferred(std::int64_t images, float value) {
  defences::Inference inference;
  inference.draw = inference.mean = Matrix(images, 2, value);
  inference.mean_reconstruction = Matrix(images, 3, value);
  return inference;
}

/// The same by chains; the second image has two divergences.
defences::Inference sampled(float value) {
  defences::Inference inference = inferred(2, value);
  inference.chains = 3;
  inference.variance = Matrix(2, 2, {value, 1.0F, 2.0F, 3.0F});
  inference.divergences = {0.0, 7.0};
  inference.first_divergences = {{},
                                 {{.chain = 1,
                                   .transition = 4,
                                   .step_size = 0.5,
                                   .energy_error = 2e3,
                                   .position = {value, 2.0F},
                                   .momentum = {3.0F, 4.0F},
                                   .end = {5.0F, 6.0F}},
                                  {.chain = 2,
                                   .transition = 9,
                                   .step_size = 0.25,
                                   .energy_error = std::numeric_limits<double>::infinity(),
                                   .position = {7.0F, 8.0F},
                                   .momentum = {9.0F, 10.0F},
                                   .end = {kNan, 11.0F}}}};
  return inference;
}

defences::Inference read_back(const defences::Inference& inference) {
  const TemporaryFolder folder;
  save_inference(folder.path() / "inference.npz", inference, 1.5);
  double seconds = 0.0;
  const auto read = load_inference(folder.path() / "inference.npz", seconds);
  EXPECT_EQ(seconds, 1.5);
  return read;
}

void expect_chains_of(const defences::Inference& expected, const defences::Inference& found) {
  EXPECT_EQ(found.chains, expected.chains);
  EXPECT_EQ(found.variance, expected.variance);
  EXPECT_EQ(found.divergences, expected.divergences);
  ASSERT_EQ(found.first_divergences.size(), expected.first_divergences.size());
  for (std::size_t b = 0; b < expected.first_divergences.size(); ++b) {
    ASSERT_EQ(found.first_divergences[b].size(), expected.first_divergences[b].size());
    for (std::size_t i = 0; i < expected.first_divergences[b].size(); ++i) {
      const mcmc::Divergence& one = found.first_divergences[b][i];
      const mcmc::Divergence& other = expected.first_divergences[b][i];
      EXPECT_EQ(one.chain, other.chain);
      EXPECT_EQ(one.transition, other.transition);
      EXPECT_EQ(one.step_size, other.step_size);
      EXPECT_EQ(one.energy_error, other.energy_error);
      EXPECT_EQ(one.position, other.position);
      EXPECT_EQ(one.momentum, other.momentum);
      ASSERT_EQ(one.end.size(), 2U);
      EXPECT_EQ(std::isnan(one.end[0]), std::isnan(other.end[0]));
      EXPECT_EQ(one.end[1], other.end[1]);
    }
  }
}

TEST(InferenceFile, KeepsTheVariancesAndFirstDivergencesOfChains) {
  expect_chains_of(sampled(1.0F), read_back(sampled(1.0F)));
  defences::Inference calm = sampled(1.0F);
  calm.first_divergences = {{}, {}};
  expect_chains_of(calm, read_back(calm));
}

TEST(InferenceFile, BlocksAreJoinedImageByImage) {
  defences::Inference whole = read_back(sampled(1.0F));
  append(whole, read_back(sampled(9.0F)));
  EXPECT_EQ(whole.variance.rows(), 4);
  EXPECT_EQ(whole.variance(2, 0), 9.0F);
  ASSERT_EQ(whole.first_divergences.size(), 4U);
  EXPECT_TRUE(whole.first_divergences[2].empty());
  EXPECT_EQ(whole.first_divergences[3][0].position[0], 9.0F);
}

TEST(InferenceFile, OfADefenceWithoutChainsSaysNothingOfThem) {
  const defences::Inference read = read_back(inferred(2, 1.0F));
  EXPECT_TRUE(read.variance.empty());
  EXPECT_TRUE(read.first_divergences.empty());
  NpzArrays arrays;
  add_chains(arrays, read);
  EXPECT_TRUE(arrays.empty());
}

TEST(InferenceFile, DivergencesThatDoNotFitAreRefused) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "inference.npz";
  const auto changed = [&](const std::string& name, const NpzArray& array) {
    save_inference(file, sampled(1.0F), 1.5);
    NpzArrays arrays = read_npz(file);
    arrays[name] = array;
    write_npz(file, arrays);
    double seconds = 0.0;
    (void)load_inference(file, seconds);
  };
  expect_misuse(
      [&] {
        changed("divergence_chain", {{1}, std::vector<std::int64_t>{1}});
      },
      {"'divergence_chain' must have 2 rows, one for each divergence, got 1"});
  expect_misuse(
      [&] {
        changed("divergence_image", {{2}, std::vector<std::int64_t>{1, 2}});
      },
      {"'divergence_image' must name one of 2 images, got 2"});
  expect_misuse(
      [&] {
        changed("divergence_end", {{2, 2}, std::vector<std::int64_t>{1, 2, 3, 4}});
      },
      {"'divergence_end' is missing, or of another type"});
}

}  // namespace
}  // namespace vaeguard::runs
