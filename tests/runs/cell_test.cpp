// Cells of a plan: which there are, in which order, what they read of each other, and what their digests tell apart.
#include "vaeguard/runs/cell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/tiny_plan.h"

namespace vaeguard::runs {
namespace {

constexpr std::string_view kTables = R"(
[[attack]]
goal = "encoder_skl"
radii = [0.2, 0.1]
restarts = 3
[[attack]]
optimiser = "noise"
radii = [0.1]
defences = ["hmc"]
[[defence]]
preset = "none"
[[defence]]
preset = "hmc"
restarts = 2
[[smallest]]
goal = "classifier_margin"
largest = 0.3
[[distortion]]
goal = "latent_means"
)";

std::vector<Cell> cells_of(const std::string& text) { return cells(plans::parse_plan(text, "test")); }

std::vector<std::string> names(const std::vector<Cell>& all) {
  std::vector<std::string> result;
  std::ranges::transform(all, std::back_inserter(result), &Cell::name);
  return result;
}

const Cell& named(const std::vector<Cell>& all, std::string_view name) {
  return *std::ranges::find(all, name, &Cell::name);
}

TEST(Cells, StandInTheOrderOfThePlanAndNameWhatTheyRead) {
  std::string text = tiny_plan(kTables);
  text.replace(text.find("nll_draws"), 0, "frechet_images = 20\n");
  const auto all = cells_of(text);
  EXPECT_THAT(
      names(all),
      testing::ElementsAre("model", "inception", "clean-none-0-none", "clean-none-0-hmc", "encoder_skl-linf-0.2-none",
                           "encoder_skl-linf-0.2-hmc", "encoder_skl-linf-0.1-none", "encoder_skl-linf-0.1-hmc",
                           "noise-linf-0.1-hmc", "classifier_margin-smallest", "latent_means-distortion"));
  const Cell& defended = named(all, "encoder_skl-linf-0.1-hmc");
  EXPECT_EQ(defended.attacked_images, "encoder_skl-linf-0.1");
  EXPECT_EQ(defended.clean_cell, "clean-none-0-hmc");
  EXPECT_EQ(defended.scenario.attacker, "blind");
  EXPECT_EQ(defended.scenario.restarts, 3);
  EXPECT_EQ(defended.restarts, 2);
  const Cell& clean = named(all, "clean-none-0-hmc");
  EXPECT_EQ(clean.attacked_images, "");
  EXPECT_EQ(clean.clean_cell, "");
}

TEST(Cells, ComeAfterTheCellsThatTheyRead) {
  const auto all = cells_of(tiny_plan(kTables));
  std::set<std::string> seen;
  for (const Cell& cell : all) {
    EXPECT_TRUE(cell.clean_cell.empty() || seen.contains(cell.clean_cell)) << cell.name;
    EXPECT_TRUE(seen.insert(cell.name).second) << cell.name;
  }
}

TEST(Cells, DigestsDependOnEverythingThatNumbersDependOn) {
  const Identity base{.seed = 3, .references = 10, .data = "d", .weights = "w", .backend = "b", .precision = "p"};
  const Cell cell = named(cells_of(tiny_plan(kTables)), "encoder_skl-linf-0.1-hmc");
  std::set<std::string> digests{digest(cell, base)};
  const auto expect_other = [&](const std::string& what, const Cell& other, const Identity& identity) {
    EXPECT_TRUE(digests.insert(digest(other, identity)).second) << what;
  };
  Identity other = base;
  other.seed = 4;
  expect_other("seed", cell, other);
  other = base;
  other.weights = "other";
  expect_other("weights", cell, other);
  other = base;
  other.data = "other";
  expect_other("data", cell, other);
  other = base;
  other.references = 11;
  expect_other("references", cell, other);
  std::string text = tiny_plan(kTables);
  text.replace(text.find("preset = \"hmc\""), 14, "preset = \"hmc\"\nleapfrog_steps = 7");
  expect_other("an option of the defence", named(cells_of(text), cell.name), base);
  text = tiny_plan(kTables);
  text.replace(text.find("radii = [0.2, 0.1]"), 18, "iterations = 9\nradii = [0.1]");
  expect_other("an option of the attack", named(cells_of(text), cell.name), base);
  text = tiny_plan(kTables);
  text.replace(text.find("radii = [0.2, 0.1]"), 18, "mask = 'unsaturated'\nradii = [0.1]");
  const Cell masked = named(cells_of(text), "encoder_skl_unsaturated-linf-0.1-hmc");
  expect_other("a mask", masked, base);
  text.replace(text.find("mask = "), 0, "mask_margin = 0.1\n");
  expect_other("its margin", named(cells_of(text), masked.name), base);
  expect_other("the radius", named(cells_of(tiny_plan(kTables)), "encoder_skl-linf-0.2-hmc"), base);
}

TEST(Cells, DigestsDoNotDependOnWhatElseThePlanHas) {
  const Identity base{.seed = 3, .references = 10, .data = "d", .weights = "w", .backend = "b", .precision = "p"};
  const std::string text = tiny_plan(kTables);
  std::string more = text + "[[defence]]\npreset = \"median\"\n# a comment\n";
  more.replace(more.find("[0.2, 0.1]"), 10, "[0.1, 0.3]");
  for (const char* name : {"model", "clean-none-0-hmc", "encoder_skl-linf-0.1-hmc", "classifier_margin-smallest"}) {
    EXPECT_EQ(digest(named(cells_of(text), name), base), digest(named(cells_of(more), name), base)) << name;
  }
}

}  // namespace
}  // namespace vaeguard::runs
