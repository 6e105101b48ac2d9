// Several attacks judged by one objective: the best of each image, members with losses of their own, and early stops.
#include "vaeguard/attacks/best_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/attacks/fixtures.h"
#include "vaeguard/attacks/noise.h"
#include "vaeguard/attacks/pgd.h"
#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

std::shared_ptr<const Attack> pgd(std::int64_t iterations, double enough = INFINITY) {
  return std::make_shared<Pgd>(PgdOptions{.iterations = iterations, .enough = enough});
}

TEST(BestOf, IsAtLeastAsGoodAsItsMembersFromTheSameStarts) {
  const Target target = relu_target(12);
  const Threat threat{.radius = 0.1};
  const AttackResult one = run(BestOf("one", {{pgd(5)}}), target, "encoder_skl", threat, 2);
  const AttackResult two = run(BestOf("two", {{pgd(5)}, {pgd(20)}}), target, "encoder_skl", threat, 2);
  const AttackResult three = run(BestOf("three", {{pgd(5)}, {pgd(20)}, {pgd(5)}}), target, "encoder_skl", threat, 2);
  double more = 0.0;
  for (std::size_t i = 0; i < one.objective.size(); ++i) {
    EXPECT_GE(two.objective[i], one.objective[i]);
    EXPECT_GE(three.objective[i], two.objective[i]);
    more += two.objective[i] - one.objective[i];
  }
  EXPECT_GT(more, 0.0);
  EXPECT_EQ(three.gradients, 24 * (5 + 20 + 5));
}

TEST(BestOf, MembersClimbTheirOwnLossesAndAreJudgedByTheCommonOne) {
  const Target target = relu_target(12);
  const auto goal = target.goal("classifier_ce");
  const auto losses = std::make_shared<const Objective>(*target.victim, *goal, 2);
  const Threat threat{.radius = 0.1};
  const AttackResult found = run(BestOf("best_of", {{pgd(20), losses}}), target, "classifier_margin", threat, 2);
  const AttackResult noise = run(Noise(), target, "classifier_margin", threat, 2);
  double gain = 0.0;
  for (std::size_t i = 0; i < found.objective.size(); ++i) {
    gain += found.objective[i] - noise.objective[i];
  }
  EXPECT_GT(gain, 0.0);
}

TEST(BestOf, ImagesThatHaveEnoughAreLeftAloneByLaterMembers) {
  const Target target = relu_target(30);
  const Threat threat{.radius = 0.03};
  const AttackResult spared = run(BestOf("best_of", {{pgd(10)}, {pgd(10)}}, 0.0), target, "classifier_margin", threat);
  const AttackResult first = run(BestOf("best_of", {{pgd(10)}}), target, "classifier_margin", threat);
  const auto reached = std::ranges::count_if(first.objective, [](double value) { return value > 0.0; });
  ASSERT_GT(reached, 0);
  ASSERT_LT(reached, 30);
  EXPECT_EQ(spared.gradients, 10 * (30 + 30 - reached));
}

TEST(BestOf, ResultsDoNotDependOnBatchOrThreads) {
  const Target target = relu_target(70);
  const BestOf attack("best_of", {{pgd(4)}, {pgd(4)}, {std::make_shared<Noise>()}}, 0.0);
  const Threat threat{.norm = Norm::l2, .radius = 0.6};
  const AttackResult together = run(attack, target, "classifier_margin", threat, 2);
  EXPECT_EQ(run(attack, target, "classifier_margin", threat, 2, {.threads = 2}).adversarial, together.adversarial);
  for (const std::int64_t i : {0, 33, 69}) {
    const Target alone = target.gather(std::vector<std::int64_t>{i});
    const auto goal = alone.goal("classifier_margin");
    const Objective objective(*alone.victim, *goal, 2);
    const auto keys = attack_keys(Key(7), "classifier_margin", std::vector<std::int64_t>{i}, 2);
    EXPECT_EQ(attack(objective, repeat_rows(alone.references, 2), threat, keys).adversarial,
              together.adversarial.slice(2 * i, 2));
  }
}

TEST(BestOf, NoMembersAreRefused) {
  EXPECT_THROW(BestOf("best_of", {}), Misuse);
  EXPECT_THROW(BestOf("best_of", {{nullptr}}), Misuse);
}

}  // namespace
}  // namespace vaeguard::attacks
