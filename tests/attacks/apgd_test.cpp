// Auto-PGD: its checkpoints, its halving, its return to the best point, and what it keeps.
#include "vaeguard/attacks/apgd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/attacks/one_pixel.h"
#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

AttackResult attack(const OnePixel& field, const ApgdOptions& options, double radius = 0.25) {
  const std::vector<Key> keys{Key(2)};
  return Apgd(options)(field, Matrix(1, 1, 0.5F), Threat{.radius = radius}, keys);
}

TEST(Apgd, CheckpointsComeCloserAndCloser) {
  EXPECT_THAT(apgd_checkpoints(100), testing::ElementsAre(22, 41, 57, 70, 80, 87, 93, 99));
  EXPECT_THAT(apgd_checkpoints(50), testing::ElementsAre(11, 21, 29, 35, 40, 44, 47, 50));
}

TEST(Apgd, FindsAPeakThatItsFirstStepsJumpOver) {
  const OnePixel field([](float x) { return std::pair(-(x - 0.6) * (x - 0.6), -2.0F * (x - 0.6F)); });
  // Steps of half the pixel's range jump to and fro; eight halvings leave 0.5 / 256.
  EXPECT_NEAR(attack(field, {}).adversarial(0, 0), 0.6, 0.5 / 256);
}

TEST(Apgd, GoesBackToItsBestPointAtACheckpoint) {
  // The gradient always points up, the value falls beyond 0.55: without a return the path stays at the border 0.75.
  const OnePixel field([](float x) { return std::pair(-std::abs(x - 0.55), 1.0F); });
  attack(field, {.iterations = 100});
  const auto border = std::ranges::count(field.asked_, 0.75F);
  EXPECT_GT(border, 20);
  EXPECT_LT(border, 101);
  const float last = field.asked_[field.asked_.size() - 2];
  EXPECT_LT(last, 0.75F);
}

TEST(Apgd, KeepsTheBestIterateAndNeverOneWithoutAValue) {
  const OnePixel field(
      [](float x) { return std::pair(x > 0.6F ? std::nan("") : static_cast<double>(x), x > 0.6F ? -1.0F : 1.0F); });
  const float found = attack(field, {.iterations = 30}).adversarial(0, 0);
  EXPECT_LE(found, 0.6F);
  EXPECT_GT(found, 0.5F);
  const OnePixel broken([](float) { return std::pair(std::nan(""), std::nanf("")); });
  EXPECT_NEAR(attack(broken, {.iterations = 30}).adversarial(0, 0), 0.5, 0.25);
}

TEST(Apgd, SpendsOneGradientAnIterationAndStopsWhenItHasEnough) {
  const OnePixel field([](float x) { return std::pair(static_cast<double>(x), 1.0F); });
  EXPECT_EQ(attack(field, {.iterations = 13}).gradients, 13);
  EXPECT_LT(attack(field, {.iterations = 13, .enough = 0.7}).gradients, 4);
}

TEST(Apgd, BadOptionsAreNamed) {
  EXPECT_THAT([] { Apgd({.iterations = 0}); },
              testing::ThrowsMessage<Misuse>("[attacks.apgd] iterations must be a whole number of at least 1, got 0"));
  EXPECT_THROW(Apgd({.first_step = -1.0}), Misuse);
  EXPECT_THROW(Apgd({.momentum = 0.0}), Misuse);
  EXPECT_THROW(Apgd({.rho = 1.5}), Misuse);
}

}  // namespace
}  // namespace vaeguard::attacks
