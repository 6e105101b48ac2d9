// A hierarchical model that is no pair of layer graphs, from pictures to the report.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/models/made_up_law.h"
#include "tests/run_report.h"
#include "tests/runs/grey_pictures.h"
#include "tests/temporary_folder.h"
#include "tests/two_level_vae.h"
#include "vaeguard/runs/runner.h"

namespace vaeguard::runs {
namespace {

TEST(TwoLevelEndToEnd, RunsFromPicturesToTheReport) {
  const TemporaryFolder folder;
  write_grey_pictures(folder.path() / "pictures", 5, 8);
  const std::string text = fmt::format(R"(
name = "two_levels"
references = 4
[dataset]
name = "pictures"
folder = "{}"
channels = 1
height = 5
width = 8
validation = 0.2
test = 0.3
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
[[defence]]
preset = "hmc_short"
[[defence]]
preset = "map_robust"
radius = "attack"
[[defence]]
preset = "repair"
)",
                                       (folder.path() / "pictures").string());
  const auto law = std::make_shared<const models::PixelLaw>(models::made_up_law());
  const auto out = folder.path() / "run";
  run_plan(
      plans::parse_plan(text, "two_levels.toml"),
      {.out = out, .threads = 2, .models = {{"vae", {.subject = {models::two_level_vae(law)}, .digest = "made here"}}}},
      silent_observer());

  std::set<std::string> defences;
  std::set<std::string> metrics;
  for (const auto& m : Store(out / "results.sqlite", Store::Access::read).read().measurements) {
    defences.insert(m.defence);
    metrics.insert(m.metric);
    EXPECT_TRUE(std::isfinite(m.value)) << m.cell << " " << m.metric;
  }
  EXPECT_EQ(defences, (std::set<std::string>{"none", "map", "hmc_short", "map_robust", "repair"}));
  EXPECT_TRUE(metrics.contains("elbo") && metrics.contains("nll") && metrics.contains("log_posterior_ratio"));
  EXPECT_THAT(run_report(out), testing::HasSubstr("hmc_short"));
}

}  // namespace
}  // namespace vaeguard::runs
