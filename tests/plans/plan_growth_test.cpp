// What a plan may add to a run, and what it may not touch.
#include "vaeguard/plans/plan_growth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vaeguard/base/error.h"

namespace vaeguard::plans {
namespace {

constexpr std::string_view kPlan = R"(
name = "a"
seed = 3
[[model]]
name = "one"
[model.training]
epochs = 2
[[model]]
name = "two"
[[attack]]
goal = "encoder_skl"
radii = [0.1]
defences = ["none"]
[[defence]]
preset = "none"
)";

std::string changed(std::string_view from, std::string_view to) {
  std::string later(kPlan);
  const auto place = later.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  later.replace(place, from.size(), to);
  return what_changed(kPlan, later);
}

TEST(PlanGrowth, MayAddWhatCellsAreNamedAfter) {
  EXPECT_EQ(what_changed(kPlan, kPlan), "");
  EXPECT_EQ(changed("name = \"a\"", "# of old\n\nname =   \"a\""), "");
  EXPECT_EQ(changed("[[attack]]", "[[model]]\nname = \"three\"\n[[attack]]"), "");
  EXPECT_EQ(changed("[[attack]]", "[[attack]]\ngoal = \"classifier_ce\"\nradii = [0.2]\n[[attack]]"), "");
  EXPECT_EQ(changed("[[defence]]", "[[defence]]\npreset = \"hmc\"\n[[defence]]"), "");
  EXPECT_EQ(changed("[[defence]]", "[[smallest]]\ngoal = \"classifier_ce\"\n[[defence]]"), "");
  EXPECT_EQ(changed("[0.1]", "[0.05, 0.1, 0.2]"), "");
  EXPECT_EQ(changed("[\"none\"]", "[\"hmc\", \"none\"]"), "");
  EXPECT_EQ(changed("defences = [\"none\"]\n", ""), "");  // all of them
}

TEST(PlanGrowth, MayNotTouchWhatRecordsCameFrom) {
  EXPECT_EQ(changed("seed = 3", "seed = 4"), "its 'seed' is not that of this one");
  EXPECT_EQ(changed("seed = 3", "seed = 3\nreferences = 10"), "its 'references' is not that of this one");
  EXPECT_EQ(changed("seed = 3\n", ""), "its 'seed' is not that of this one");
  EXPECT_EQ(changed("epochs = 2", "epochs = 3"), "its [[model]] of line 4 is not in this one");
  EXPECT_EQ(changed("name = \"two\"", "name = \"three\""), "its [[model]] of line 8 is not in this one");
  EXPECT_EQ(changed("[0.1]", "[0.2]"), "its [[attack]] of line 10 is not in this one");
  EXPECT_EQ(changed("radii = [0.1]\n", ""), "its [[attack]] of line 10 is not in this one");
  EXPECT_EQ(changed("[\"none\"]", "[\"hmc\"]"), "its [[attack]] of line 10 is not in this one");
  EXPECT_EQ(changed("preset = \"none\"", "preset = \"hmc\""), "its [[defence]] of line 14 is not in this one");
  // A list where there was none leaves out defences that the attack met.
  EXPECT_EQ(what_changed("[[attack]]\nradii = [0.1]", "[[attack]]\nradii = [0.1]\ndefences = [\"none\"]"),
            "its [[attack]] of line 1 is not in this one");
}

TEST(PlanGrowth, OneModelAloneStaysAlone) {
  EXPECT_EQ(what_changed("[model]\nlatent = 2", "[[model]]\nlatent = 2"), "");
  const std::string two = "[[model]]\nlatent = 2\n[[model]]\nname = \"b\"";
  EXPECT_EQ(what_changed("[model]\nlatent = 2", two), "its cells do not name their only model");
  EXPECT_EQ(what_changed("", two), "its cells do not name their only model");
}

TEST(PlanGrowth, TextThatIsNoTomlIsRefused) { EXPECT_THROW(what_changed("a = ", ""), Misuse); }

}  // namespace
}  // namespace vaeguard::plans
