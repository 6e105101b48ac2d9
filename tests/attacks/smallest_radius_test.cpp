// Smallest radii: the known answer of a linear classifier, images that hold out, and independence of the batch.
#include "vaeguard/attacks/smallest_radius.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/attacks/fixtures.h"
#include "tests/attacks/one_pixel.h"
#include "vaeguard/attacks/pgd.h"
#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

TEST(SmallestRadius, OfALinearFunctionIsWhereItCrosses) {
  const OnePixel field([](float x) { return std::pair(x - 0.63, 1.0F); });
  const std::vector<Key> keys{Key(1)};
  const auto found = smallest_radii(Pgd({.iterations = 10}), field, Matrix(1, 1, 0.5F), {.radius = 0.4}, keys,
                                    {.enough = 0.0, .steps = 10});
  EXPECT_GE(found.radius[0], 0.13 - 1e-7);  // pixels are floats
  EXPECT_LE(found.radius[0], 0.13 + 0.4 / 1024);
  EXPECT_GT(found.objective[0], 0.0);
  EXPECT_LE(std::abs(found.adversarial(0, 0) - 0.5F), found.radius[0]);
  EXPECT_EQ(found.gradients, 110);
}

TEST(SmallestRadius, IsInfiniteForImagesThatHoldOut) {
  const OnePixel field([](float x) { return std::pair(x - 0.95, 1.0F); });
  const std::vector<Key> keys{Key(1)};
  const auto found = smallest_radii(Pgd({.iterations = 5}), field, Matrix(1, 1, 0.5F), {.radius = 0.4}, keys);
  EXPECT_EQ(found.radius[0], std::numeric_limits<double>::infinity());
  EXPECT_NEAR(found.adversarial(0, 0), 0.9F, 1e-6);
}

TEST(SmallestRadius, DoesNotDependOnTheBatchAndIsReachedByAnAttackAtThatRadius) {
  const Target target = relu_target(12);
  const auto goal = target.goal("classifier_margin");
  const Objective objective(*target.victim, *goal);
  const auto keys = attack_keys(Key(7), "classifier_margin", positions(12), 1);
  const Threat largest{.norm = Norm::l2, .radius = 2.0};
  const Pgd attack({.iterations = 8});
  const auto together = smallest_radii(attack, objective, target.references, largest, keys, {.steps = 4});
  for (std::int64_t i = 0; i < 12; ++i) {
    const Target alone = target.gather(std::vector<std::int64_t>{i});
    const auto own_goal = alone.goal("classifier_margin");
    const Objective own(*alone.victim, *own_goal);
    const std::vector<Key> key{keys[static_cast<std::size_t>(i)]};
    const auto found = smallest_radii(attack, own, alone.references, largest, key, {.steps = 4});
    EXPECT_EQ(found.radius[0], together.radius[static_cast<std::size_t>(i)]);
    EXPECT_EQ(found.adversarial, together.adversarial.slice(i, 1));
    if (std::isfinite(found.radius[0])) {
      EXPECT_LE(largest.size(target.references.row(i), found.adversarial.row(0)), found.radius[0]);
    }
  }
}

TEST(SmallestRadius, AJudgeDecidesInPlaceOfTheObjective) {
  // The attack climbs x, and has succeeded where x is above 0.63.
  const OnePixel field([](float x) { return std::pair(static_cast<double>(x), 1.0F); });
  const OnePixel judge([](float x) { return std::pair(x > 0.63F ? 1.0 : 0.0, 0.0F); });
  const std::vector<Key> keys{Key(1)};
  const auto found = smallest_radii(Pgd({.iterations = 10}), field, Matrix(1, 1, 0.5F), {.radius = 0.4}, keys,
                                    {.enough = 0.5, .steps = 10, .judge = &judge});
  EXPECT_GE(found.radius[0], 0.13 - 1e-7);  // pixels are floats
  EXPECT_LE(found.radius[0], 0.13 + 0.4 / 1024);
  EXPECT_NEAR(found.objective[0], 0.63, 1e-3);  // what the attack climbs, not what the judge says
}

TEST(SmallestRadius, BadOptionsAreNamed) {
  EXPECT_THROW(validate(SmallestRadiusOptions{.enough = NAN}), Misuse);
  EXPECT_THROW(validate(SmallestRadiusOptions{.steps = -1}), Misuse);
  const Target target = linear_target(2);
  const auto goal = target.goal("maximum_damage");
  const Objective objective(*target.victim, *goal);
  const Objective judge(*target.victim, *goal, 2);
  const auto keys = attack_keys(Key(7), "maximum_damage", positions(2), 1);
  EXPECT_THROW(
      smallest_radii(Pgd({.iterations = 1}), objective, target.references, {.radius = 0.1}, keys, {.judge = &judge}),
      Misuse);
}

}  // namespace
}  // namespace vaeguard::attacks
