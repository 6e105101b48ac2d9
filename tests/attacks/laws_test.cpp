// Laws that every registered attack obeys, taken from the registry, and the exact optimum on a linear encoder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tests/attacks/fixtures.h"
#include "vaeguard/attacks/noise.h"
#include "vaeguard/attacks/pgd.h"

namespace vaeguard::attacks {
namespace {

constexpr std::int64_t kReferences = 20;

/// Gains over the clean image, summed over rows.
double gain(const AttackResult& result, const AttackResult& clean) {
  double sum = 0.0;
  for (std::size_t i = 0; i < result.objective.size(); ++i) {
    sum += result.objective[i] - clean.objective[i];
  }
  return sum;
}

TEST(AttackLaws, EveryAttackStaysInsideItsThreat) {
  constexpr std::int64_t kFew = 5;
  for (const Target& target : {relu_target(kFew), two_level_target(kFew)}) {
    for (const OptimiserEntry& entry : optimisers()) {
      for (const Norm norm : norms_of(entry)) {
        for (const GoalEntry& goal : goals()) {
          for (const double share : {0.5, 3.0}) {
            const Threat threat{.norm = norm, .radius = share * radius_of(norm)};
            const AttackResult result = run(*quick(entry, goal.name), target, goal.name, threat);
            for (std::int64_t i = 0; i < kFew; ++i) {
              EXPECT_LE(threat.size(target.references.row(i), result.adversarial.row(i)), threat.radius)
                  << entry.name << " on " << goal.name << ", " << name(norm);
            }
            EXPECT_THAT(result.adversarial.values(),
                        testing::Each(testing::AllOf(testing::Ge(0.0F), testing::Le(1.0F))));
          }
        }
      }
    }
  }
}

/// No numbers anywhere, or only at odd calls, or infinities.
class Broken : public ScalarField {
 public:
  explicit Broken(int kind) : kind_(kind) {}
  [[nodiscard]] std::int64_t size() const override { return 3; }
  [[nodiscard]] std::int64_t dimension() const override { return 5; }
  void evaluate(std::span<const std::int64_t>, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override {
    const bool bad = kind_ != 1 || calls_++ % 2 == 0;
    const double number = kind_ == 2 ? INFINITY : std::nan("");
    std::ranges::fill(values, bad ? number : 1.0);
    if (gradients != nullptr) {
      *gradients = Matrix(points.rows(), points.columns(), bad ? static_cast<float>(number) : -2.0F);
    }
  }

 private:
  int kind_;
  mutable int calls_ = 0;
};

TEST(AttackLaws, ValuesAndGradientsThatAreNoNumbersAreDataNotErrors) {
  const Matrix references = random_images(Key(3), 3, 5);
  const auto keys = attack_keys(Key(1), "broken", positions(3), 1);
  for (const OptimiserEntry& entry : optimisers()) {
    for (const Norm norm : norms_of(entry)) {
      for (const int kind : {0, 1, 2}) {
        const Threat threat{.norm = norm, .radius = 0.2};
        const AttackResult result = (*quick(entry, "encoder_skl"))(Broken(kind), references, threat, keys);
        for (std::int64_t i = 0; i < 3; ++i) {
          EXPECT_LE(threat.size(references.row(i), result.adversarial.row(i)), 0.2) << entry.name << " " << name(norm);
        }
      }
    }
  }
}

TEST(AttackLaws, EveryAttackBeatsNoise) {
  constexpr std::int64_t kRestarts = 2;
  constexpr std::int64_t kFew = 8;
  // 40 pixels: with fewer, noise draws the best corner now and then.
  for (const Target& target : {linear_target(kFew, 40), relu_target(kFew), two_level_target(kFew)}) {
    for (const GoalEntry& goal : goals()) {
      for (const Norm norm : all_norms()) {
        const Threat threat{.norm = norm, .radius = radius_of(norm)};
        const AttackResult clean = run(Noise(), target, goal.name, {.norm = norm, .radius = 0.0}, kRestarts);
        const AttackResult noise = run(Noise(), target, goal.name, threat, kRestarts);
        for (const OptimiserEntry& entry : optimisers()) {
          // The published loop takes plain gradients with a step that was chosen for goals away from the image.
          const bool meant = entry.name != "noise" && !(entry.name == "published" && goal.targeted);
          if (!meant || (entry.linf_only && norm != Norm::linf)) {
            continue;
          }
          const AttackResult attacked = run(*quick(entry, goal.name, 25), target, goal.name, threat, kRestarts);
          EXPECT_GT(gain(attacked, clean), 1.1 * std::max(gain(noise, clean), 0.0))
              << entry.name << " on " << goal.name << ", " << name(norm);
          // The published loop keeps its last iterate and may lose on one image, as may slow ones in 25 steps; DLR is a
          // ratio with many hills.
          const bool strong = entry.name == "sign_pgd" || entry.name == "pgd" || entry.name == "apgd";
          const bool keeps_best = strong && goal.name.find("dlr") == std::string_view::npos;
          for (std::size_t i = 0; keeps_best && i < noise.objective.size(); i += kRestarts) {
            const auto worst = [&](const std::vector<double>& values) {
              return *std::max_element(values.begin() + static_cast<std::ptrdiff_t>(i),
                                       values.begin() + static_cast<std::ptrdiff_t>(i) + kRestarts);
            };
            EXPECT_GE(worst(attacked.objective), worst(noise.objective))
                << entry.name << " on " << goal.name << ", " << name(norm) << " row " << i;
          }
        }
      }
    }
  }
}

TEST(AttackLaws, PgdGainsWithTheRadiusFromTheSameStart) {
  for (const Target& target : {linear_target(kReferences), relu_target(kReferences), two_level_target(kReferences)}) {
    for (const std::string_view goal : {"encoder_skl", "classifier_ce"}) {
      for (const Norm norm : all_norms()) {
        AttackResult last = run(Noise(), target, goal, {.norm = norm, .radius = 0.0});
        for (const double share : {0.2, 0.5, 1.0, 2.0}) {
          const AttackResult now = run(Pgd(), target, goal, {.norm = norm, .radius = share * radius_of(norm)});
          EXPECT_GT(gain(now, last), 0.0) << goal << " " << name(norm) << " share " << share;
          // In other norms one image may end on another hill.
          for (std::size_t i = 0; norm == Norm::linf && i < now.objective.size(); ++i) {
            EXPECT_GT(now.objective[i], last.objective[i]) << goal << " share " << share << " row " << i;
          }
          last = now;
        }
      }
    }
  }
}

/// The largest objective over all corners of the ball. The linear encoder's log-variance is constant, so symmetric KL
/// is a convex quadratic of the perturbation and takes its maximum at a corner; so does cross-entropy, convex in
/// logits.
std::vector<double> best_corners(const Target& target, std::string_view goal_name, double radius) {
  const auto goal = target.goal(goal_name);
  const Objective objective(*target.victim, *goal);
  const std::int64_t pixels = target.references.columns();
  std::vector<double> best(static_cast<std::size_t>(target.references.rows()), 0.0);
  std::vector<double> values(best.size());
  for (std::int64_t corner = 0; corner < (std::int64_t{1} << pixels); ++corner) {
    Matrix points = target.references;
    for (std::int64_t i = 0; i < points.rows(); ++i) {
      for (std::int64_t j = 0; j < pixels; ++j) {
        points(i, j) += static_cast<float>((corner >> j & 1) != 0 ? radius : -radius);
      }
    }
    objective.evaluate(consecutive(0, points.rows()), points, values, nullptr);
    std::ranges::transform(best, values, best.begin(), [](double a, double b) { return std::max(a, b); });
  }
  return best;
}

TEST(AttackLaws, PgdAndApgdReachTheExactOptimumOfALinearEncoder) {
  constexpr double kRadius = 0.1;  // references stand within 0.2 .. 0.8: the pixel box is never met
  constexpr std::int64_t kRestarts = 10;
  const Target target = linear_target(kReferences, 10);
  for (const auto& [optimiser, goal_name] :
       {std::pair("pgd", "encoder_skl"), std::pair("pgd", "classifier_ce"), std::pair("apgd", "encoder_skl"),
        std::pair("apgd", "classifier_ce"), std::pair("apgd", "maximum_damage")}) {
    const GoalEntry& goal = goals().find(goal_name);
    const auto exact = best_corners(target, goal.name, kRadius);
    const auto found =
        run(*make_attack(optimiser, goal.name), target, goal.name, Threat{.radius = kRadius}, kRestarts).objective;
    std::int64_t hits = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const auto begin = found.begin() + static_cast<std::ptrdiff_t>(i) * kRestarts;
      const double worst_case = *std::max_element(begin, begin + kRestarts);
      // Projection gives up one unit in the last place of each pixel: a relative 1e-6 of the objective.
      constexpr double kRounding = 1e-5;
      EXPECT_LE(worst_case, exact[i] * (1 + kRounding)) << goal.name << " row " << i;
      // The quadratic has several local maxima; the stated gap of the worst case over ten restarts is 1 %.
      EXPECT_GE(worst_case, exact[i] * 0.99) << goal.name << " row " << i;
      hits += worst_case > exact[i] * (1 - kRounding) ? 1 : 0;
    }
    EXPECT_GE(hits, kReferences * 8 / 10) << goal.name << ": exact on too few images";
  }
}

TEST(AttackLaws, InL2TheBestMoveOfTheMeansIsTheLargestSingularValueOfALinearEncoder) {
  // |J d|^2 over |d|_2 <= r has its maximum r^2 s_1^2 along the first right singular vector of J [2, pixels].
  constexpr double kRadius = 0.1;
  const Target target = linear_target(4, 10);
  Matrix unit(11, 10, 0.5F);
  for (std::int64_t j = 0; j < 10; ++j) {
    unit(j, j) = 1.5F;
  }
  const Matrix means = target.vae->encode(unit).mean;
  double aa = 0.0;
  double ab = 0.0;
  double bb = 0.0;
  for (std::int64_t j = 0; j < 10; ++j) {
    const double a = static_cast<double>(means(j, 0)) - means(10, 0);
    const double b = static_cast<double>(means(j, 1)) - means(10, 1);
    aa += a * a;
    ab += a * b;
    bb += b * b;
  }
  const double largest = (aa + bb) / 2.0 + std::sqrt((aa - bb) * (aa - bb) / 4.0 + ab * ab);
  const double optimum = kRadius * kRadius * largest;
  constexpr std::int64_t kRestarts = 5;
  for (const std::string_view optimiser : {"pgd", "apgd"}) {
    const auto found = run(*make_attack(optimiser, "encoder_means"), target, "encoder_means",
                           {.norm = Norm::l2, .radius = kRadius}, kRestarts)
                           .objective;
    for (std::size_t i = 0; i < found.size(); i += kRestarts) {
      const auto begin = found.begin() + static_cast<std::ptrdiff_t>(i);
      const double best = *std::max_element(begin, begin + kRestarts);
      // Steps turn towards the first singular vector like a power iteration; 2 % for starts that were nearly across.
      EXPECT_GE(best, 0.98 * optimum) << optimiser;
      EXPECT_LE(best, (1.0 + 1e-5) * optimum) << optimiser;
    }
  }
}

}  // namespace
}  // namespace vaeguard::attacks
