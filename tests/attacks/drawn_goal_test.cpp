// Draws instead of means: the same noise at every call, other noise for other restarts, and the mean without spread.
#include "vaeguard/attacks/drawn_goal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/attacks/fixtures.h"
#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

Matrix outputs_with(float log_variance) {
  Matrix outputs(1, 8);
  fill_normal(Key(40), outputs.row(0).first(4));
  std::ranges::fill(outputs.row(0).subspan(4), log_variance);
  return outputs;
}

double value_of(const Goal& goal, const Matrix& outputs, std::int64_t restart) {
  const GoalRow row{.reference = 1, .restart = restart};
  double value = 0.0;
  goal.evaluate({&row, 1}, outputs, {&value, 1}, nullptr);
  return value;
}

TEST(DrawnGoal, WithoutSpreadItIsTheGoalOfTheMeans) {
  const Target target = relu_target(2);
  const auto mean = target.goal("classifier_margin");
  const auto drawn = target.goal("classifier_margin", 5);
  // e^-40 is 4e-18: below the rounding of the mean.
  EXPECT_NEAR(value_of(*drawn, outputs_with(-80.0F), 0), value_of(*mean, outputs_with(-80.0F), 0), 1e-12);
  EXPECT_GT(std::abs(value_of(*drawn, outputs_with(0.0F), 0) - value_of(*mean, outputs_with(0.0F), 0)), 1e-3);
}

TEST(DrawnGoal, NoiseStaysTheSameForARestartAndDiffersBetweenRestartsAndReferences) {
  const Target target = relu_target(2);
  const auto goal = target.goal("classifier_margin", 2);
  const Matrix outputs = outputs_with(0.0F);
  EXPECT_EQ(value_of(*goal, outputs, 3), value_of(*goal, outputs, 3));
  EXPECT_NE(value_of(*goal, outputs, 3), value_of(*goal, outputs, 4));
  EXPECT_EQ(goal->value(1, outputs.row(0), {}), value_of(*goal, outputs, 0));
}

TEST(DrawnGoal, ManyDrawsAgreeWithTheMeanOfALinearLoss) {
  // Towards a class that stays far ahead, the margin is linear in the code: its mean is the margin of the means.
  models::LinearClassifier classifier{Matrix(2, 1, {1.0F, 0.0F}), {0.0F, 0.0F}};
  const GoalInputs inputs{
      .references = {Matrix(1, 1, 1.0F), Matrix(1, 1)}, .classifier = &classifier, .key = Key(3), .draws = 4000};
  const auto goal = make_goal("classifier_margin", inputs);
  // -z with z ~ N(1, 1): standard error 1 / sqrt(4000) = 0.016, six of them allowed.
  EXPECT_NEAR(goal->value(0, std::vector<float>{1.0F, 0.0F}, {}), -1.0, 6 * 0.016);
}

TEST(DrawnGoal, MissingKeysAndDrawsAreNamed) {
  const Target target = relu_target(2);
  EXPECT_THROW(DrawnGoal(target.goal("classifier_ce"), {Key(1)}, 1), Misuse);
  EXPECT_THROW(DrawnGoal(target.goal("classifier_ce"), {Key(1), Key(2)}, 0), Misuse);
}

}  // namespace
}  // namespace vaeguard::attacks
