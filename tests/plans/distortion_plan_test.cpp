// Tables [[distortion]]: what is read, and what is refused.
#include "vaeguard/plans/distortion_plan.h"

#include <gtest/gtest.h>

#include <variant>

#include "tests/expect_misuse.h"
#include "vaeguard/plans/toml.h"

namespace vaeguard::plans {
namespace {

AttackPlan read(std::string_view text) {
  const Value table = parse_toml(text, "test");
  return read_distortion(OptionReader(table, "test"));
}

TEST(DistortionPlan, ReadsAGoalAndASweep) {
  const AttackPlan plan = read("name='codes'\ngoal='latent_kl'\npenalties=11\niterations=40\nrestarts=2");
  EXPECT_EQ(plan.name, "codes");
  EXPECT_EQ(plan.optimiser, "lbfgs");
  EXPECT_EQ(plan.norm, Norm::l2);
  EXPECT_EQ(plan.restarts, 2);
  EXPECT_EQ(plan.options.find("penalties")->number(), 11.0);
}

TEST(DistortionPlan, NamesWhatCannotBe) {
  expect_misuse([] { read("goal='encoder_skl'"); }, {"test", "latent_*", "encoder_skl"});
  expect_misuse([] { read("goal='classifier_ce_target'"); }, {"output_target_l2"});
  expect_misuse([] { read("goal='latent_kl'\noptimiser='pgd'"); }, {"leave norm and optimiser out"});
  expect_misuse([] { read("goal='latent_kl'\nnorm='linf'"); }, {"leave norm and optimiser out"});
  expect_misuse([] { read("goal='latent_kl'\nradii=[1]"); }, {"radii"});
}

}  // namespace
}  // namespace vaeguard::plans
