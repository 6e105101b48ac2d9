// Tables in one form: the same for two plans that mean the same, another for any other option.
#include "vaeguard/plans/canonical_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vaeguard::plans {
namespace {

TEST(CanonicalTables, OrderLayoutAndCommentsDoNotMatterAndOptionsDo) {
  const auto one = canonical_tables("[[attack]]\ngoal = 'a' # why\nradii = [0.1]\niterations = 3\n", "attack");
  const auto other =
      canonical_tables("seed = 4\nattack = [{iterations = 3, defences = ['hmc'], goal = \"a\"}]", "attack");
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one, other);
  EXPECT_NE(one, canonical_tables("[[attack]]\ngoal = 'a'\niterations = 4\n", "attack"));
}

TEST(CanonicalTables, KeepTheOrderOfTheirPlan) {
  const auto tables = canonical_tables("[[defence]]\npreset = 'none'\n[[defence]]\npreset = 'hmc'\n", "defence");
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_THAT(tables[1], testing::HasSubstr("hmc"));
  EXPECT_EQ(canonical_tables("[model]\nlatent = 2", "model").size(), 1U);
  EXPECT_TRUE(canonical_tables("", "model").empty());
}

}  // namespace
}  // namespace vaeguard::plans
