// Attacks of plans on a small model: all goals and suites, targets, smallest radii and distortion areas.
#include "vaeguard/runs/attack_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/models/linear_vae.h"
#include "vaeguard/plans/toml.h"

namespace vaeguard::runs {
namespace {

constexpr std::int64_t kPixels = 12;
constexpr std::int64_t kReferences = 6;

measures::Subject small_subject() {
  models::LinearClassifier classifier{Matrix(4, 3), std::vector<float>(4, 0.0F)};
  fill_normal(Key(2), classifier.weight.flat());
  return {models::Vae(models::LinearVae::random(Key(1), kPixels, 3, 0.5, 0.05).weights()), classifier};
}

measures::References small_references(const measures::Subject& subject) {
  data::Images images{.pixels = Matrix(kReferences, kPixels), .labels = {0, 1, 2, 0, 1, 2}};
  fill_uniform(Key(3), 0.0F, 1.0F, images.pixels.flat());
  return measures::make_references(subject, std::move(images), {4, 9, 11, 30, 31, 57}, Key(4), 1);
}

plans::AttackPlan plan_of(std::string_view lines) {
  const Value table = plans::parse_toml(lines, "test");
  return plans::read_attack({table, "test"});
}

attacks::AttackResult run(const plans::AttackPlan& plan, int threads = 1) {
  const measures::Subject subject = small_subject();
  return run_attack(plan, plan.radii[0], 1, subject, small_references(subject), threads, silent_observer());
}

TEST(AttackRun, EveryGoalRunsFromAPlan) {
  for (const attacks::GoalEntry& goal : attacks::goals()) {
    for (const int draws : {0, 2}) {
      if (draws > 0 && !goal.reads_code) {
        continue;
      }
      const plans::AttackPlan plan = plan_of(
          fmt::format("goal='{}'\noptimiser='apgd'\nnorm='l2'\nradii=[0.5]\niterations=10\nrestarts=2\ndraws={}",
                      goal.name, draws));
      const attacks::AttackResult result = run(plan);
      EXPECT_EQ(result.adversarial.rows(), 2 * kReferences);
      EXPECT_EQ(result.gradients, 2 * kReferences * 10) << goal.name;
      EXPECT_EQ(run(plan, 2).adversarial, result.adversarial) << goal.name;
    }
  }
}

TEST(AttackRun, SuitesAndSeveralOptimisersDoAtLeastAsWellAsChance) {
  for (const attacks::SuiteEntry& suite : attacks::suites()) {
    const plans::AttackPlan plan = plan_of(fmt::format("optimiser='{}'\nradii=[0.3]", suite.name));
    const plans::AttackPlan noise = plan_of(
        fmt::format("optimiser='noise'\ngoal='{}'\nnorm='{}'\nradii=[0.3]", suite.judge, vaeguard::name(suite.norm)));
    const auto found = run(plan).objective;
    const auto chance = run(noise).objective;
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_GE(found[i], chance[i]) << suite.name;
    }
  }
  EXPECT_EQ(run(plan_of("best_of=['pgd','adam']\nradii=[0.1]")).gradients, kReferences * 100);
}

TEST(AttackRun, AMaskAndADecoyReachTheImagesAndTheSmallestRadii) {
  const measures::Subject subject = small_subject();
  const measures::References references = small_references(subject);
  const plans::AttackPlan masked = plan_of("mask='unsaturated'\nmask_margin=0.3\nradii=[0.1]");
  plans::AttackPlan decoy = masked;
  decoy.pixels.decoy = attacks::Decoy::noise;
  const auto found = run_smallest_radii(masked, {.largest = 0.2, .steps = 2, .enough = 0.01}, 1, subject, references, 1,
                                        silent_observer());
  const Matrix attacked = run(masked).adversarial;
  const Matrix decoyed = run(decoy).adversarial;
  const attacks::Threat threat = masked.threat(0.1);
  std::int64_t held = 0;
  for (std::size_t i = 0; i < attacked.values().size(); ++i) {
    const float reference = references.images.pixels.values()[i];
    held += threat.holds(reference) ? 1 : 0;
    if (threat.holds(reference)) {
      EXPECT_EQ(attacked.values()[i], reference);
      EXPECT_EQ(found.adversarial.values()[i], reference);
    }
    EXPECT_LE(std::abs(decoyed.values()[i] - reference), 0.1);
  }
  EXPECT_GT(held, 10);
  EXPECT_NE(attacked, references.images.pixels);
  EXPECT_NE(decoyed, attacked);
}

TEST(AttackRun, TargetsAreOfAnotherLabel) {
  const measures::Subject subject = small_subject();
  const measures::References references = small_references(subject);
  const auto targets = attack_targets(plan_of("goal='latent_kl'\nradii=[0.1]"), 1, subject, references);
  ASSERT_EQ(std::ssize(targets), kReferences);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    EXPECT_NE(references.images.labels[static_cast<std::size_t>(targets[i])], references.images.labels[i]);
  }
  EXPECT_TRUE(attack_targets(plan_of("radii=[0.1]"), 1, subject, references).empty());
}

TEST(AttackRun, SmallestRadiiAreWhereTheObjectiveIsReached) {
  const measures::Subject subject = small_subject();
  const measures::References references = small_references(subject);
  const plans::AttackPlan plan =
      plan_of("goal='classifier_margin'\noptimiser='pgd'\nradii=[1]\niterations=20\nenough=0");
  const auto found = run_smallest_radii(plan, {.largest = 1.0}, 1, subject, references, 1, silent_observer());
  for (std::size_t i = 0; i < found.radius.size(); ++i) {
    EXPECT_EQ(std::isfinite(found.radius[i]), found.objective[i] > 0.0);
  }
  EXPECT_THROW(run_smallest_radii(plan_of("optimiser='standard_linf'\nradii=[1]"), {.largest = 1.0}, 1, subject,
                                  references, 1, silent_observer()),
               Misuse);
}

TEST(AttackRun, TheRuleOfTheClassIsAMarginAboveZero) {
  const measures::Subject subject = small_subject();
  const measures::References references = small_references(subject);
  const plans::AttackPlan plan =
      plan_of("goal='classifier_margin'\noptimiser='pgd'\nradii=[1]\niterations=5\nrestarts=2");
  const auto by_rule = run_smallest_radii(plan, {.largest = 0.5, .steps = 4, .success = attacks::Success{}}, 1, subject,
                                          references, 2, silent_observer());
  const auto by_margin =
      run_smallest_radii(plan, {.largest = 0.5, .steps = 4}, 1, subject, references, 1, silent_observer());
  EXPECT_EQ(by_rule.radius, by_margin.radius);
  EXPECT_EQ(by_rule.adversarial, by_margin.adversarial);
}

TEST(AttackRun, DistortionCurvesHaveAreasThatAreSharesAndNeedATarget) {
  const measures::Subject subject = small_subject();
  const measures::References references = small_references(subject);
  const auto run = [&](const std::string& lines) {
    return run_distortion_curves(plan_of(lines + "\nradii=[1]"), 1, subject, references, 2, silent_observer());
  };
  const auto curves = run("goal='latent_means'\noptimiser='lbfgs'\npenalties=9");
  ASSERT_EQ(std::ssize(curves), kReferences);
  for (const auto& curve : curves) {
    EXPECT_GT(curve.area(), 0.0);
    EXPECT_LT(curve.area(), 1.0);
  }
  EXPECT_THAT([&] { run("goal='latent_means'\nmask='unsaturated'"); },
              testing::ThrowsMessage<Misuse>(testing::HasSubstr("in a distortion curve all pixels move")));
  EXPECT_THROW(run(""), Misuse);
  EXPECT_THROW(run("goal='classifier_ce_target'"), Misuse);
}

}  // namespace
}  // namespace vaeguard::runs
