// Adam against steps worked out by hand.
#include "vaeguard/training/adam.h"

#include "vaeguard/base/error.h"

namespace vaeguard::training {
namespace {

// Step 1: both corrected means are the gradient and its square, so the move is rate * sign(gradient).
TEST(Adam, FirstStepMovesByTheRateAgainstTheGradient) {
  Adam adam(2);
  std::vector<float> parameters{1.0F, 1.0F};
  adam.step(parameters, std::vector<float>{4.0F, -0.01F}, 0.1);
  EXPECT_NEAR(parameters[0], 0.9, 1e-6);
  EXPECT_NEAR(parameters[1], 1.1, 1e-6);
}

// Gradients 1 then 3 with decays 0.5 and 0.75: m = 0.5 * 0.5 + 0.5 * 3 = 1.75, corrected by 1 - 0.25 to 7/3;
// v = 0.75 * 0.25 + 0.25 * 9 = 2.4375, corrected by 1 - 0.5625 to 39/7.
TEST(Adam, SecondStepFollowsTheFormula) {
  Adam adam(1, {.first_decay = 0.5, .second_decay = 0.75, .epsilon = 1e-8});
  std::vector<float> parameters{0.0F};
  adam.step(parameters, std::vector<float>{1.0F}, 0.1);
  adam.step(parameters, std::vector<float>{3.0F}, 0.2);
  EXPECT_NEAR(parameters[0], -0.1 - 0.2 * (7.0 / 3.0) / std::sqrt(39.0 / 7.0), 1e-6);
}

TEST(Adam, GoesOnFromASavedStateExactly) {
  std::vector<float> unbroken{0.3F, -0.2F};
  Adam first(2);
  first.step(unbroken, std::vector<float>{0.1F, 0.2F}, 0.01);
  Adam second(2);
  second.set_state(first.state());
  std::vector<float> resumed = unbroken;
  first.step(unbroken, std::vector<float>{-0.3F, 0.1F}, 0.01);
  second.step(resumed, std::vector<float>{-0.3F, 0.1F}, 0.01);
  EXPECT_EQ(unbroken, resumed);
  EXPECT_EQ(first.state(), second.state());
}

TEST(Adam, RefusesOptionsAndSizesThatMakeNoSense) {
  EXPECT_THROW(Adam(1, {.first_decay = 1.0}), Misuse);
  EXPECT_THROW(Adam(1, {.epsilon = 0.0}), Misuse);
  Adam adam(2);
  std::vector<float> parameters{1.0F};
  EXPECT_THROW(adam.step(parameters, parameters, 0.1), Misuse);
  EXPECT_THROW(adam.set_state({.first = {1.0F}, .second = {1.0F}, .steps = 1}), Misuse);
}

}  // namespace
}  // namespace vaeguard::training
