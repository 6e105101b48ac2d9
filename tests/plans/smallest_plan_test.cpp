// Tables [[smallest]]: what is read, and what is refused.
#include "vaeguard/plans/smallest_plan.h"

#include <gtest/gtest.h>

#include "tests/expect_misuse.h"
#include "vaeguard/plans/toml.h"

namespace vaeguard::plans {
namespace {

SmallestPlan read(std::string_view text) {
  const Value table = parse_toml(text, "test");
  return read_smallest(OptionReader(table, "test"));
}

TEST(SmallestPlan, ReadsAnAttackARangeAndARule) {
  const SmallestPlan plan = read(
      "goal='maximum_damage'\noptimiser='pgd'\nnorm='l2'\nlargest=3\nsteps=6\nrestarts=2\nsuccess='reconstruction'\n"
      "distance=5\ndraws=8\niterations=30");
  EXPECT_EQ(plan.attack.name, "maximum_damage");
  EXPECT_EQ(plan.attack.norm, Norm::l2);
  EXPECT_EQ(plan.attack.restarts, 2);
  EXPECT_EQ(plan.attack.draws, 8);
  EXPECT_EQ(plan.search.largest, 3.0);
  EXPECT_EQ(plan.search.steps, 6);
  ASSERT_TRUE(plan.search.success);
  EXPECT_EQ(plan.search.success->rule, attacks::Success::Rule::reconstruction);
  EXPECT_EQ(plan.search.success->distance, 5.0);
  EXPECT_EQ(read("goal='classifier_margin'\nlargest=0.3").search.success->rule, attacks::Success::Rule::other_class);
}

TEST(SmallestPlan, NamesWhatCannotBe) {
  expect_misuse([] { read("goal='classifier_margin'"); }, {"largest"});
  expect_misuse([] { read("largest=-1"); }, {"largest must be a number of at least 0, got -1"});
  expect_misuse([] { read("largest=1\nradii=[0.1]"); }, {"radii"});
  expect_misuse([] { read("largest=1\ndistance=2"); }, {"distance"});
  expect_misuse([] { read("largest=1\nsuccess='reconstruction'"); }, {"distance"});
  expect_misuse([] { read("largest=1\nsuccess='recon'"); }, {"reconstruction"});
  expect_misuse([] { read("largest=1\noptimiser='standard_linf'"); }, {"suite standard_linf"});
}

}  // namespace
}  // namespace vaeguard::plans
