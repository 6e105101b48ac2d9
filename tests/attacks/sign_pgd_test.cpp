// Sign-PGD on objectives whose path is known: best iterate, schedule, gradients that are not numbers.
#include "vaeguard/attacks/sign_pgd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <mutex>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

/// One pixel, any function; remembers where it was asked.
class OnePixel : public ScalarField {
 public:
  using Function = std::function<std::pair<double, float>(float)>;
  explicit OnePixel(Function function) : function_(std::move(function)) {}
  [[nodiscard]] std::int64_t size() const override { return 1; }
  [[nodiscard]] std::int64_t dimension() const override { return 1; }
  void evaluate(std::int64_t, const Matrix& points, std::span<double> values, Matrix* gradients) const override {
    const auto [value, gradient] = function_(points(0, 0));
    values[0] = value;
    asked_.push_back(points(0, 0));
    if (gradients != nullptr) {
      *gradients = Matrix(1, 1, gradient);
    }
  }
  mutable std::vector<float> asked_;

 private:
  Function function_;
};

AttackResult attack(const OnePixel& field, const SignPgdOptions& options, double radius = 0.25) {
  const std::vector<Key> keys{Key(2)};
  return SignPgd(options)(field, Matrix(1, 1, 0.5F), Threat{.radius = radius}, keys);
}

TEST(SignPgd, KeepsTheBestIterateNotTheLast) {
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

TEST(SignPgd, ConvergesOnAConcavePeakInsideTheBall) {
  const OnePixel field([](float x) { return std::pair(-(x - 0.6) * (x - 0.6), -2.0F * (x - 0.6F)); });
  // The last steps are radius (pi k)^2 / (4 50^2) for k = 1, 2, 3: 2.5e-4, 1e-3, 2.2e-3.
  EXPECT_NEAR(attack(field, {}).adversarial(0, 0), 0.6, 2e-3);
}

TEST(SignPgd, StepsFollowTheSchedule) {
  for (const auto& [schedule, second] : {std::pair(Schedule::linear, 0.75), std::pair(Schedule::cosine, 0.853553)}) {
    const OnePixel climb([](float x) { return std::pair(static_cast<double>(x), 1.0F); });
    attack(climb, {.iterations = 4, .first_step = 0.01, .schedule = schedule}, 0.4);
    ASSERT_GE(climb.asked_.size(), 3U);
    EXPECT_NEAR(climb.asked_[1] - climb.asked_[0], 0.4 * 0.01, 1e-6);
    EXPECT_NEAR(climb.asked_[2] - climb.asked_[1], 0.4 * 0.01 * second, 1e-6);
  }
}

TEST(SignPgd, ValuesThatAreNotFiniteNeverWin) {
  const OnePixel field([](float x) {
    return std::pair(x > 0.6F ? std::numeric_limits<double>::infinity() : static_cast<double>(x), -1.0F);
  });
  const OnePixel broken([](float) { return std::pair(std::nan(""), std::nanf("")); });
  const AttackResult result = attack(field, {.iterations = 3});
  EXPECT_GT(field.asked_.front(), 0.6F);  // the start overflows, the second iterate is the border at 0.25
  EXPECT_EQ(result.adversarial(0, 0), 0.25F);
  EXPECT_NEAR(attack(broken, {}).adversarial(0, 0), 0.5, 0.25);
}

TEST(SignPgd, SpendsOneGradientAnIteration) {
  const OnePixel field([](float x) { return std::pair(static_cast<double>(x), 1.0F); });
  EXPECT_EQ(attack(field, {.iterations = 13}).gradients, 13);
}

TEST(SignPgd, BadOptionsAreNamed) {
  EXPECT_THAT([] { SignPgd({.iterations = 0}); },
              testing::ThrowsMessage<Misuse>("[attacks.sign_pgd] iterations must be at least 1, got 0"));
  EXPECT_THROW(SignPgd({.first_step = 0.0}), Misuse);
  EXPECT_THROW(SignPgd({.first_step = INFINITY}), Misuse);
}

}  // namespace
}  // namespace vaeguard::attacks
