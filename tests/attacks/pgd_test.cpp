// Projected ascent on objectives whose path is known: best iterate, schedule, momentum, gradients that are no numbers.
#include "vaeguard/attacks/pgd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "tests/attacks/one_pixel.h"
#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

AttackResult attack(const OnePixel& field, const PgdOptions& options, double radius = 0.25) {
  const std::vector<Key> keys{Key(2)};
  return Pgd(options)(field, Matrix(1, 1, 0.5F), Threat{.radius = radius}, keys);
}

TEST(Pgd, KeepsTheBestIterateNotTheLast) {
  // The gradient lies: it points away from the peak at 0.5.
  const OnePixel field([](float x) { return std::pair(-std::abs(x - 0.5), x > 0.5F ? 1.0F : -1.0F); });
  const AttackResult result = attack(field, {.iterations = 10});
  double best = -1.0;
  for (const float x : field.asked_) {
    best = std::max(best, -std::abs(x - 0.5));
  }
  EXPECT_EQ(result.objective[0], best);
  EXPECT_LT(-std::abs(field.asked_[field.asked_.size() - 2] - 0.5), best);
}

TEST(Pgd, ConvergesOnAConcavePeakInsideTheBall) {
  const OnePixel field([](float x) { return std::pair(-(x - 0.6) * (x - 0.6), -2.0F * (x - 0.6F)); });
  // The last steps are radius (pi k)^2 / (4 50^2) for k = 1, 2, 3: 2.5e-4, 1e-3, 2.2e-3.
  EXPECT_NEAR(attack(field, {}).adversarial(0, 0), 0.6, 2e-3);
}

TEST(Pgd, StepsFollowTheSchedule) {
  for (const auto& [schedule, second] : {std::pair(Schedule::linear, 0.75), std::pair(Schedule::cosine, 0.853553)}) {
    const OnePixel climb([](float x) { return std::pair(static_cast<double>(x), 1.0F); });
    attack(climb, {.iterations = 4, .first_step = 0.01, .schedule = schedule}, 0.4);
    ASSERT_GE(climb.asked_.size(), 3U);
    EXPECT_NEAR(climb.asked_[1] - climb.asked_[0], 0.4 * 0.01, 1e-6);
    EXPECT_NEAR(climb.asked_[2] - climb.asked_[1], 0.4 * 0.01 * second, 1e-6);
  }
}

TEST(Pgd, ValuesThatAreNotFiniteNeverWin) {
  const OnePixel field([](float x) {
    return std::pair(x > 0.6F ? std::numeric_limits<double>::infinity() : static_cast<double>(x), -1.0F);
  });
  const OnePixel broken([](float) { return std::pair(std::nan(""), std::nanf("")); });
  const AttackResult result = attack(field, {.iterations = 3});
  EXPECT_GT(field.asked_.front(), 0.6F);  // the start overflows, the second iterate is the border at 0.25
  EXPECT_EQ(result.adversarial(0, 0), 0.25F);
  EXPECT_NEAR(attack(broken, {}).adversarial(0, 0), 0.5, 0.25);
}

TEST(Pgd, MomentumCarriesOverGradientsThatAlternate) {
  // Up once, then down with half of it in turns: without momentum the path goes back, with it it keeps rising.
  const auto path = [](double momentum) {
    auto calls = std::make_shared<int>(0);
    const OnePixel field([calls](float x) {
      const int call = (*calls)++;
      return std::pair(static_cast<double>(x), call == 0 ? 1.0F : -1.0F);
    });
    attack(field, {.iterations = 3, .first_step = 0.02, .schedule = Schedule::constant, .momentum = momentum}, 0.4);
    return field.asked_;
  };
  const auto plain = path(0.0);
  EXPECT_NEAR(plain[2] - plain[1], -0.4 * 0.02, 1e-6);
  const auto carried = path(2.0);  // 2 * 1 - 1 > 0
  EXPECT_NEAR(carried[2] - carried[1], 0.4 * 0.02, 1e-6);
}

TEST(Pgd, SpendsOneGradientAnIteration) {
  const OnePixel field([](float x) { return std::pair(static_cast<double>(x), 1.0F); });
  EXPECT_EQ(attack(field, {.iterations = 13}).gradients, 13);
}

TEST(Pgd, BadOptionsAreNamed) {
  EXPECT_THAT([] { Pgd({.iterations = 0}); },
              testing::ThrowsMessage<Misuse>("[attacks.pgd] iterations must be a whole number of at least 1, got 0"));
  EXPECT_THROW(Pgd({.first_step = 0.0}), Misuse);
  EXPECT_THROW(Pgd({.first_step = INFINITY}), Misuse);
  EXPECT_THROW(Pgd({.momentum = -1.0}), Misuse);
  EXPECT_THROW(Pgd({.enough = NAN}), Misuse);
}

}  // namespace
}  // namespace vaeguard::attacks
