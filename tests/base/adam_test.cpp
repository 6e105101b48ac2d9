// The Adam update: steps by hand, and both forms to the bit as their users wrote them out.
#include "vaeguard/base/adam.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "vaeguard/base/random.h"

namespace vaeguard {
namespace {

TEST(AdamStep, FirstStepIsTheRateWhateverTheGradient) {
  for (const double gradient : {1e-3, 4.0, -7.0}) {
    double mean = 0.0;
    double square = 0.0;
    const AdamStep<double, AdamForm::differences> move({}, 1, 0.1);
    EXPECT_NEAR(move(gradient, mean, square), std::copysign(0.1, gradient), 2e-6);
  }
}

// Gradients 1 then 3 with decays 0.5 and 0.75: m = 1.75, corrected by 1 - 0.25 to 7/3; v = 2.4375, by 1 - 0.5625 to
// 39/7.
TEST(AdamStep, SecondStepFollowsTheFormulaInBothForms) {
  const auto second = [](auto form) {
    constexpr AdamForm kForm = decltype(form)::value;
    const AdamDecays decays{.mean = 0.5, .square = 0.75};
    double mean = 0.0;
    double square = 0.0;
    (void)AdamStep<double, kForm>(decays, 1, 0.1)(1.0, mean, square);
    return AdamStep<double, kForm>(decays, 2, 0.2)(3.0, mean, square);
  };
  const double expected = 0.2 * (7.0 / 3.0) / std::sqrt(39.0 / 7.0);
  EXPECT_NEAR(second(std::integral_constant<AdamForm, AdamForm::differences>{}), expected, 1e-8);
  EXPECT_NEAR(second(std::integral_constant<AdamForm, AdamForm::sums>{}), expected, 1e-8);
}

/// Fifty gradients of very different sizes.
std::array<float, 50> gradients() {
  std::array<float, 50> result{};
  fill_normal(Key(1), result);
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] *= std::pow(10.0F, static_cast<float>(i % 7) - 3.0F);
  }
  return result;
}

TEST(AdamStep, DifferencesInFloatAreToTheBitWhatDescentsWriteOut) {
  float mean = 0.0F;
  float square = 0.0F;
  float m = 0.0F;
  float v = 0.0F;
  int t = 0;
  for (const float g : gradients()) {
    ++t;
    const float moved =
        AdamStep<float, AdamForm::differences>({.mean = 0.9F, .square = 0.99F}, t, 0.15)(g, mean, square);
    m += (1.0F - 0.9F) * (g - m);
    v += (1.0F - 0.99F) * (g * g - v);
    const auto scale = static_cast<float>(0.15 / (1.0 - std::pow(0.9F, t)));
    const auto correction = static_cast<float>(1.0 / (1.0 - std::pow(0.99F, t)));
    EXPECT_EQ(moved, scale * m / (std::sqrt(v * correction) + 1e-8F));
  }
}

TEST(AdamStep, SumsInFloatAreToTheBitWhatTrainingWritesOut) {
  float mean = 0.0F;
  float square = 0.0F;
  float m = 0.0F;
  float v = 0.0F;
  double t = 0.0;
  for (const float g : gradients()) {
    ++t;
    const float moved = AdamStep<float, AdamForm::sums>({}, static_cast<std::int64_t>(t), 1e-3)(g, mean, square);
    m = 0.9F * m + (1.0F - 0.9F) * g;
    v = 0.999F * v + (1.0F - 0.999F) * g * g;
    const auto rate = static_cast<float>(1e-3 / (1.0 - std::pow(0.9, t)));
    const auto scale = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(0.999, t)));
    EXPECT_EQ(moved, rate * m / (std::sqrt(v) * scale + 1e-8F));
  }
}

TEST(HalfCosine, FallsFromTheFirstRateToZero) {
  EXPECT_EQ(half_cosine(0.3, 0, 10), 0.3);
  EXPECT_NEAR(half_cosine(0.3, 5, 10), 0.15, 1e-15);
  EXPECT_NEAR(half_cosine(0.3, 10, 10), 0.0, 1e-15);
}

}  // namespace
}  // namespace vaeguard
