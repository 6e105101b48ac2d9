// The objective: goal and encoder composed, gradients with respect to pixels, rows shared out over restarts.
#include "vaeguard/attacks/objective.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/attacks/fixtures.h"
#include "vaeguard/attacks/encoder_goal.h"
#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

TEST(Objective, PixelGradientsAgreeWithFiniteDifferencesForEveryGoal) {
  const Target target = relu_target(3);
  const Matrix points = random_images(Key(9), 3, 64);
  for (const GoalEntry& entry : goals()) {
    const auto goal = target.goal(entry.name);
    const Objective objective(*target.victim, *goal);
    std::vector<double> values(3);
    Matrix gradients;
    objective.evaluate(consecutive(0, points.rows()), points, values, &gradients);
    for (std::int64_t j = 0; j < 64; ++j) {
      constexpr float kStep = 0x1p-12F;
      Matrix up = points;
      Matrix down = points;
      for (std::int64_t i = 0; i < 3; ++i) {
        up(i, j) += kStep;
        down(i, j) -= kStep;
      }
      std::vector<double> above(3);
      std::vector<double> below(3);
      objective.evaluate(consecutive(0, up.rows()), up, above, nullptr);
      objective.evaluate(consecutive(0, down.rows()), down, below, nullptr);
      for (std::int64_t i = 0; i < 3; ++i) {
        const auto b = static_cast<std::size_t>(i);
        // Float outputs of order 1 err by 1e-7, so the quotient by 5e-4; values of order 50, sums over the pixels of a
        // reconstruction, by as much more. The step is short, or a ReLU that switches inside it would halve a slope.
        // DLR divides by a difference of logits, here a few hundredths of them.
        const double divisor = entry.name.find("dlr") == std::string_view::npos ? 1.0 : 0.1;
        const double scale = (1 + std::abs(gradients(i, j)) + 0.1 * std::abs(values[b])) / divisor;
        EXPECT_NEAR(gradients(i, j), (above[b] - below[b]) / (2.0 * kStep), 5e-3 * scale)
            << entry.name << " row " << i << " pixel " << j;
      }
    }
  }
}

TEST(Objective, RestartsOfAReferenceLieSideBySide) {
  const Target target = relu_target(2);
  const auto goal = target.goal("encoder_skl");
  const Objective objective(*target.victim, *goal, 3);
  ASSERT_EQ(objective.size(), 6);
  std::vector<double> values(6);
  objective.evaluate(consecutive(0, 6), repeat_rows(target.references, 3), values, nullptr);
  EXPECT_THAT(values, testing::Each(0.0));
  std::vector<double> shifted(2);
  objective.evaluate(consecutive(2, 2), repeat_rows(target.references.slice(0, 1), 2), shifted, nullptr);
  EXPECT_EQ(shifted[0], 0.0);
  EXPECT_GT(shifted[1], 0.0);  // row 3 belongs to the second reference
}

TEST(Objective, RestartsSeeDifferentDrawsAndEachAlwaysTheSame) {
  const Target target = relu_target(2);
  const auto goal = target.goal("classifier_margin", 2);
  const Objective objective(*target.victim, *goal, 2);
  std::vector<double> values(4);
  std::vector<double> again(4);
  objective.evaluate(consecutive(0, 4), repeat_rows(target.references, 2), values, nullptr);
  objective.evaluate(consecutive(0, 4), repeat_rows(target.references, 2), again, nullptr);
  EXPECT_EQ(values, again);
  EXPECT_NE(values[0], values[1]);
  EXPECT_NE(values[2], values[3]);
}

TEST(Objective, ARowDoesNotDependOnItsBatch) {
  const Target target = relu_target(64);
  const auto goal = target.goal("encoder_skl");
  const Objective objective(*target.victim, *goal);
  const Matrix points = random_images(Key(9), 64, 64);
  std::vector<double> together(64);
  Matrix gradients;
  objective.evaluate(consecutive(0, points.rows()), points, together, &gradients);
  const std::vector<std::int64_t> some{63, 5, 17, 5, 0};  // repeated and in no order
  for (const std::int64_t i : some) {
    std::vector<double> alone(1);
    Matrix gradient;
    objective.evaluate({&i, 1}, points.slice(i, 1), alone, &gradient);
    EXPECT_EQ(alone[0], together[static_cast<std::size_t>(i)]);
    EXPECT_EQ(gradient, gradients.slice(i, 1));
  }
  std::vector<double> of_some(some.size());
  Matrix gradients_of_some;
  objective.evaluate(some, points.gather(some), of_some, &gradients_of_some);
  EXPECT_EQ(gradients_of_some, gradients.gather(some));
  EXPECT_EQ(of_some[1], of_some[3]);
  EXPECT_EQ(of_some[0], together[63]);
}

TEST(Objective, MismatchesAreNamed) {
  const Target target = relu_target(2);
  const EncoderGoal other("encoder_skl", EncodingGap::symmetric_kl, Direction::away, {Matrix(2, 3), Matrix(2, 3)});
  EXPECT_THAT([&] { Objective(*target.victim, other); },
              testing::ThrowsMessage<Misuse>("[attacks.objective] goal encoder_skl reads encodings of 3 latents, the "
                                             "victim gives 4"));
  const auto goal = target.goal("encoder_skl");
  EXPECT_THROW(Objective(*target.victim, *goal, 0), Misuse);
  const Objective objective(*target.victim, *goal);
  std::vector<double> values(2);
  for (const std::vector<std::int64_t>& wrong : {std::vector<std::int64_t>{1, 2}, {-1, 0}, {0}, {0, 1, 1}}) {
    EXPECT_THROW(objective.evaluate(wrong, target.references, values, nullptr), Misuse);
  }
}

}  // namespace
}  // namespace vaeguard::attacks
