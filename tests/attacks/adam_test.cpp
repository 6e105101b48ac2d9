// Adam on the perturbation: known peaks, gradients that are no numbers, and its options.
#include "vaeguard/attacks/adam.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/attacks/one_pixel.h"
#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

AttackResult attack(const OnePixel& field, const AdamOptions& options, double radius = 0.25) {
  const std::vector<Key> keys{Key(2)};
  return Adam(options)(field, Matrix(1, 1, 0.5F), Threat{.radius = radius}, keys);
}

TEST(Adam, ConvergesOnAConcavePeakInsideTheBall) {
  const OnePixel field([](float x) { return std::pair(-(x - 0.6) * (x - 0.6), -2.0F * (x - 0.6F)); });
  EXPECT_NEAR(attack(field, {}).adversarial(0, 0), 0.6, 5e-3);
}

TEST(Adam, StepsDoNotDependOnTheScaleOfTheObjective) {
  const auto at = [](float scale) {
    const OnePixel field([=](float x) { return std::pair(scale * std::sin(9.0 * x), scale * std::cos(9.0F * x)); });
    return attack(field, {.iterations = 5}).adversarial(0, 0);
  };
  EXPECT_NEAR(at(1.0F), at(1e6F), 1e-5);
  EXPECT_NEAR(at(1.0F), at(1e-6F), 1e-5);
}

TEST(Adam, GradientsThatAreNoNumbersCountAsZeroAndValuesNever) {
  const OnePixel broken([](float) { return std::pair(std::nan(""), std::nanf("")); });
  EXPECT_NEAR(attack(broken, {}).adversarial(0, 0), 0.5, 0.25);
  const OnePixel steep([](float x) { return std::pair(static_cast<double>(x), INFINITY); });
  EXPECT_EQ(attack(steep, {}).adversarial(0, 0), 0.75F);
}

TEST(Adam, SpendsOneGradientAnIterationAndNamesBadOptions) {
  const OnePixel field([](float x) { return std::pair(static_cast<double>(x), 1.0F); });
  EXPECT_EQ(attack(field, {.iterations = 13}).gradients, 13);
  EXPECT_THAT([] { Adam({.iterations = 0}); },
              testing::ThrowsMessage<Misuse>("[attacks.adam] iterations must be a whole number of at least 1, got 0"));
  EXPECT_THROW(Adam({.square_decay = 1.0}), Misuse);
}

}  // namespace
}  // namespace vaeguard::attacks
