// Suggestions for mistyped names.
#include "vaeguard/base/text.h"

#include "tests/expect_misuse.h"

namespace vaeguard {
namespace {

const std::vector<std::string> kKnown = {"hmc", "hmc_published", "map", "step_size", "leapfrog_steps"};

TEST(Nearest, FindsAWordWithOneEdit) {
  EXPECT_EQ(nearest("hmcc", kKnown), "hmc");            // insert
  EXPECT_EQ(nearest("hc", kKnown), "hmc");              // delete
  EXPECT_EQ(nearest("mop", kKnown), "map");             // replace
  EXPECT_EQ(nearest("hcm", kKnown), "hmc");             // swap of neighbours
  EXPECT_EQ(nearest("stepsize", kKnown), "step_size");  // delete
}

TEST(Nearest, AllowsAThirdOfTheLetters) {
  EXPECT_EQ(nearest("leapfrogsteps", kKnown), "leapfrog_steps");
  EXPECT_EQ(nearest("hmc_publish", kKnown), "hmc_published");
  EXPECT_EQ(nearest("stpsz", kKnown), "");
}

TEST(Nearest, PrefersTheClosestAndThenTheFirst) {
  const std::vector<std::string> known = {"cart", "cast", "car"};
  EXPECT_EQ(nearest("car", known), "car");
  EXPECT_EQ(nearest("cat", known), "cart");
}

TEST(Nearest, IsEmptyWhenNothingIsNear) {
  EXPECT_EQ(nearest("posterior", kKnown), "");
  EXPECT_EQ(nearest("", kKnown), "");
  EXPECT_EQ(nearest("hmc", {}), "");
}

TEST(UnknownName, SuggestsTheNearestAndListsAll) {
  expect_misuse([] { unknown_name("plan", "defence", "hcm", kKnown); },
                {"[plan] unknown defence 'hcm', did you mean 'hmc'? Known: hmc, hmc_published"});
}

TEST(UnknownName, ListsAllWhenNothingIsNear) {
  expect_misuse([] { unknown_name("plan", "defence", "posterior", kKnown); },
                {"[plan] unknown defence 'posterior'. Known: hmc"});
}

}  // namespace
}  // namespace vaeguard
