// Laws of every registered attack with masks, random radii and decoys, and the exact optimum that they leave.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "tests/attacks/fixtures.h"
#include "vaeguard/attacks/best_of.h"
#include "vaeguard/attacks/noise.h"
#include "vaeguard/attacks/pgd.h"
#include "vaeguard/attacks/smallest_radius.h"
#include "vaeguard/base/scalar_field.h"

namespace vaeguard::attacks {
namespace {

constexpr std::int64_t kFew = 6;

/// The threat of each row in run(), with the random numbers that its key stands for.
std::vector<Threat> threats_of(const Target& target, std::string_view goal, const Threat& threat) {
  std::vector<Threat> threats;
  for (const Key& key : attack_keys(Key(7), goal, positions(target.references.rows()), 1)) {
    threats.push_back(threat);
    threats.back().pixel_key = key.fold("pixels");
  }
  return threats;
}

/// Inside the threat, and held pixels where they stay: at the reference to the bit, unless there is a decoy.
void expect_kept(const Target& target, std::string_view goal, const Threat& threat, const Matrix& adversarial,
                 const std::string& what) {
  const std::vector<Threat> threats = threats_of(target, goal, threat);
  for (std::int64_t i = 0; i < adversarial.rows(); ++i) {
    const auto reference = target.references.row(i);
    const auto x = adversarial.row(i);
    EXPECT_LE(threat.size(reference, x), threat.radius) << what;
    EXPECT_THAT(x, testing::Each(testing::AllOf(testing::Ge(0.0F), testing::Le(1.0F)))) << what;
    std::vector<float> held(x.begin(), x.end());
    threats[static_cast<std::size_t>(i)].hold(reference, held);
    EXPECT_THAT(x, testing::ElementsAreArray(held)) << what;
    for (std::size_t j = 0; threat.pixels.decoy == Decoy::none && j < x.size(); ++j) {
      EXPECT_TRUE(!threat.holds(reference[j]) || x[j] == reference[j]) << what << ", pixel " << j;
    }
    std::vector<float> projected(x.begin(), x.end());
    threats[static_cast<std::size_t>(i)].project(reference, projected);
    EXPECT_THAT(projected, testing::ElementsAreArray(x)) << what << ": beyond a pixel's own radius";
  }
}

TEST(PixelLaws, EveryAttackKeepsToEveryBudget) {
  for (const Target& target : {relu_target(kFew), two_level_target(kFew)}) {
    for (const OptimiserEntry& entry : optimisers()) {
      for (const Norm norm : norms_of(entry)) {
        for (const PixelBudget& budget : partial_budgets(norm)) {
          for (const GoalEntry& goal : goals()) {
            const Threat threat{.norm = norm, .radius = 2.0 * radius_of(norm), .pixels = budget};
            const AttackResult result = run(*quick(entry, goal.name, 4), target, goal.name, threat);
            expect_kept(target, goal.name, threat, result.adversarial,
                        fmt::format("{} on {}, {}{}", entry.name, goal.name, name(norm), name_ending(budget)));
          }
        }
      }
    }
  }
}

TEST(PixelLaws, EveryAttackBeatsNoiseWithEveryBudget) {
  const Target target = relu_target(kFew);
  for (const OptimiserEntry& entry : optimisers()) {
    for (const Norm norm : norms_of(entry)) {
      for (const PixelBudget& budget : partial_budgets(norm)) {
        for (const std::string_view goal : {"encoder_skl", "classifier_margin", "maximum_damage"}) {
          if (entry.name == "noise") {
            continue;
          }
          const Threat threat{.norm = norm, .radius = radius_of(norm), .pixels = budget};
          const auto sum = [](const AttackResult& result) {
            return std::accumulate(result.objective.begin(), result.objective.end(), 0.0);
          };
          const double clean = sum(run(Noise(), target, goal, {.norm = norm, .radius = 0.0}));
          const double noise = sum(run(Noise(), target, goal, threat)) - clean;
          const double attacked = sum(run(*quick(entry, goal, 25), target, goal, threat)) - clean;
          EXPECT_GT(attacked, 1.1 * std::max(noise, 0.0))
              << entry.name << " on " << goal << ", " << name(norm) << name_ending(budget);
        }
      }
    }
  }
}

/// The largest objective over all corners that the rows' threats leave: the exact optimum of a convex objective.
std::vector<double> best_corners(const Target& target, const Objective& objective, std::span<const Threat> threats) {
  const Matrix& references = target.references;
  Matrix low = references;
  Matrix high = references;
  for (std::int64_t i = 0; i < references.rows(); ++i) {
    std::ranges::fill(low.row(i), -9.0F);
    std::ranges::fill(high.row(i), 9.0F);
    threats[static_cast<std::size_t>(i)].project(references.row(i), low.row(i));
    threats[static_cast<std::size_t>(i)].project(references.row(i), high.row(i));
  }
  std::vector<double> best(threats.size(), -std::numeric_limits<double>::infinity());
  std::vector<double> values(best.size());
  for (std::int64_t corner = 0; corner < (std::int64_t{1} << references.columns()); ++corner) {
    Matrix points = low;
    for (std::int64_t i = 0; i < points.rows(); ++i) {
      for (std::int64_t j = 0; j < points.columns(); ++j) {
        points(i, j) = (corner >> j & 1) != 0 ? high(i, j) : low(i, j);
      }
    }
    objective.evaluate(consecutive(0, points.rows()), points, values, nullptr);
    std::ranges::transform(best, values, best.begin(), [](double a, double b) { return std::max(a, b); });
  }
  return best;
}

TEST(PixelLaws, PgdReachesTheExactOptimumOfWhatIsLeft) {
  constexpr std::int64_t kReferences = 20;
  constexpr double kRounding = 1e-5;
  const Target target = linear_target(kReferences);
  // Ten starts in the same threat: restarts would have other random radii and decoys.
  std::vector<BestOfMember> starts;
  for (int start = 0; start < 10; ++start) {
    starts.push_back({std::make_unique<Pgd>()});
  }
  const BestOf attack("starts", std::move(starts));
  for (const PixelBudget& budget : partial_budgets(Norm::linf)) {
    PixelBudget wide = budget;
    wide.mask_margin = 0.4;  // references lie in 0.2 .. 0.8: a third of the pixels moves
    const Threat threat{.radius = 0.1, .pixels = wide};
    const auto goal = target.goal("encoder_skl");
    const std::vector<double> exact =
        best_corners(target, Objective(*target.victim, *goal), threats_of(target, "encoder_skl", threat));
    const AttackResult found = run(attack, target, "encoder_skl", threat);
    int hits = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      EXPECT_LE(found.objective[i], exact[i] * (1.0 + kRounding)) << name_ending(budget);
      // As without a budget (laws_test.cpp): the quadratic has several local maxima.
      EXPECT_GE(found.objective[i], exact[i] * 0.99) << name_ending(budget) << " row " << i;
      hits += found.objective[i] >= exact[i] * (1.0 - kRounding) ? 1 : 0;
    }
    EXPECT_GE(hits, kReferences * 8 / 10) << name_ending(budget) << ": exact on too few images";
  }
}

TEST(PixelLaws, MovingPixelsMakeUpForTheDecoyInsteadOfIgnoringIt) {
  const Target target = relu_target(40);
  const Threat masked{.radius = 0.1, .pixels = {.mask = Mask::unsaturated, .mask_margin = 0.25}};
  Threat decoy = masked;
  decoy.pixels.decoy = Decoy::noise;
  for (const std::string_view goal_name : {"encoder_skl", "classifier_margin"}) {
    const AttackResult known = run(Pgd(), target, goal_name, decoy);
    Matrix afterwards = run(Pgd(), target, goal_name, masked).adversarial;
    const std::vector<Threat> threats = threats_of(target, goal_name, decoy);
    for (std::int64_t i = 0; i < afterwards.rows(); ++i) {
      threats[static_cast<std::size_t>(i)].hold(target.references.row(i), afterwards.row(i));
    }
    const auto goal = target.goal(goal_name);
    const std::vector<double> ignored = values_of(Objective(*target.victim, *goal), afterwards, 1);
    EXPECT_GT(std::accumulate(known.objective.begin(), known.objective.end(), 0.0),
              std::accumulate(ignored.begin(), ignored.end(), 0.0))
        << goal_name;
  }
}

TEST(PixelLaws, AttacksOfAttacksAndSmallestRadiiKeepToTheRowsOwnBudget) {
  const Target target = relu_target(kFew);
  const Threat threat{.radius = 0.3, .pixels = partial_budgets(Norm::linf).back()};
  std::vector<BestOfMember> members;
  members.push_back({std::make_unique<Pgd>(PgdOptions{.iterations = 5})});
  members.push_back({make_attack("adam", "classifier_margin")});
  const BestOf both("both", std::move(members));
  expect_kept(target, "classifier_margin", threat, run(both, target, "classifier_margin", threat).adversarial, "both");

  const auto goal = target.goal("classifier_margin");
  const Objective objective(*target.victim, *goal);
  const SmallestRadii found =
      smallest_radii(Pgd(), objective, target.references, threat,
                     attack_keys(Key(7), "classifier_margin", positions(kFew), 1), {.steps = 3});
  EXPECT_THAT(found.radius, testing::Contains(testing::Lt(0.3)));
  for (std::int64_t i = 0; i < kFew; ++i) {
    Threat own = threats_of(target, "classifier_margin", threat)[static_cast<std::size_t>(i)];
    own.radius = std::min(own.radius, found.radius[static_cast<std::size_t>(i)]);
    std::vector<float> projected(found.adversarial.row(i).begin(), found.adversarial.row(i).end());
    own.project(target.references.row(i), projected);
    EXPECT_THAT(found.adversarial.row(i), testing::ElementsAreArray(projected)) << "row " << i;
  }
}

}  // namespace
}  // namespace vaeguard::attacks
