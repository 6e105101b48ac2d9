// Pictures of an odd, non-square size and without classes, and a model of the test's own: a whole run with its report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/run_report.h"
#include "tests/runs/grey_pictures.h"
#include "tests/temporary_folder.h"
#include "vaeguard/base/npz.h"
#include "vaeguard/base/random.h"
#include "vaeguard/runs/runner.h"

namespace vaeguard::runs {
namespace {

constexpr std::int64_t kHeight = 17;
constexpr std::int64_t kWidth = 23;

// Two latents, so that there is a map as well.
models::Vae small_vae() {
  using networks::Operation;
  const ImageShape image{1, kHeight, kWidth};
  models::VaeWeights weights{
      .architecture = "small", .encoder = {.inputs = {image}}, .decoder = {.inputs = {{2, 1, 1}}}, .likelihood = {}};
  weights.encoder.add(Operation::reshape, {.shape = {image.size(), 1, 1}});
  weights.encoder.add(Operation::convolution, {.channels = 4});
  weights.decoder.add(Operation::convolution, {.channels = image.size()});
  weights.decoder.add(Operation::reshape, {.shape = image});
  fill_uniform(Key(5), -0.1F, 0.1F, weights.encoder.parameters);
  fill_uniform(Key(6), -0.5F, 0.5F, weights.decoder.parameters);
  return models::Vae(weights);
}

TEST(UnusualImagesEndToEnd, RunFromPicturesToTheReport) {
  const TemporaryFolder folder;
  write_grey_pictures(folder.path() / "pictures", kHeight, kWidth);
  const std::string text = fmt::format(R"(
name = "unusual"
references = 4
[dataset]
name = "pictures"
folder = "{}"
channels = 1
height = {}
width = {}
validation = 0.2
test = 0.3
[evaluation]
nll_images = 2
nll_draws = 4
[[attack]]
goal = "encoder_skl"
radii = [0.1]
iterations = 2
restarts = 2
[[attack]]
goal = "output_target_l2"
radii = [0.1]
iterations = 2
restarts = 1
[[defence]]
preset = "none"
[[defence]]
preset = "hmc"
warmup = 3
transitions = 4
leapfrog_steps = 3
)",
                                       (folder.path() / "pictures").string(), kHeight, kWidth);
  const auto out = folder.path() / "run";
  run_plan(plans::parse_plan(text, "unusual.toml"),
           {.out = out, .threads = 2, .models = {{"vae", {.subject = {small_vae()}, .digest = "made here"}}}},
           silent_observer());

  const auto attacked = read_npz(out / "arrays" / "attacks" / "encoder_skl-linf-0.1.npz");
  EXPECT_EQ(attacked.at("x_adv").shape, (std::vector<std::int64_t>{8, 1, kHeight, kWidth}));
  EXPECT_TRUE(exists(out / "arrays" / "attacks" / "output_target_l2-linf-0.1.npz")) << "towards any other image";
  const auto defended = read_npz(out / "arrays" / "encoder_skl-linf-0.1-hmc.npz");
  EXPECT_EQ(defended.at("rec_defended").shape, (std::vector<std::int64_t>{8, 1, kHeight, kWidth}));
  std::set<std::string> metrics;
  for (const auto& m : Store(out / "results.sqlite", Store::Access::read).read().measurements) {
    metrics.insert(m.metric);
  }
  EXPECT_TRUE(metrics.contains("ms_ssim_wang03") && metrics.contains("nll") && metrics.contains("auroc"));
  EXPECT_FALSE(metrics.contains("agreement") || metrics.contains("label_accuracy"));

  const std::string page = run_report(out);
  EXPECT_THAT(page, testing::HasSubstr("Defended: HMC: 4 images in a row"));
  EXPECT_THAT(page, testing::HasSubstr("id=\"map-encoder_skl-linf-0.1-hmc\""));
  EXPECT_TRUE(exists(out / "figures" / "gallery-encoder_skl-linf-0.1.png"));
}

}  // namespace
}  // namespace vaeguard::runs
