// The penalty sweep: the known answer of a quadratic for every penalty, its curve and the area under it.
#include "vaeguard/attacks/lbfgs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/attacks/fixtures.h"
#include "tests/attacks/one_pixel.h"
#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

TEST(Lbfgs, PenaltiesGoFromLeastToGreatestInEqualRatios) {
  EXPECT_THAT(penalties({.penalties = 3, .least = 0.25, .greatest = 4.0}), testing::ElementsAre(0.25, 1.0, 4.0));
  EXPECT_THAT(penalties({.penalties = 1}), testing::ElementsAre(0x1p-20));
}

TEST(Lbfgs, EveryPenaltyHasTheKnownAnswerOfAQuadratic) {
  // max -(x - 0.8)^2 - lambda (x - 0.5)^2 at (0.8 + 0.5 lambda) / (1 + lambda).
  const OnePixel field([](float x) { return std::pair(-(x - 0.8) * (x - 0.8), -2.0F * (x - 0.8F)); });
  const LbfgsOptions options{.penalties = 5, .least = 0.01, .greatest = 100.0, .iterations = 50};
  const std::vector<Key> keys{Key(1)};
  const auto curve = sweep_penalties(field, Matrix(1, 1, 0.5F), keys, options).front();
  const auto all = penalties(options);
  ASSERT_EQ(curve.size(), all.size());
  for (std::size_t k = 0; k < all.size(); ++k) {
    const double answer = (0.8 + 0.5 * all[k]) / (1.0 + all[k]);
    // liblbfgs stops at a gradient of 1e-5 of the point's length.
    EXPECT_NEAR(curve[k].distortion, answer - 0.5, 1e-3);
    EXPECT_NEAR(curve[k].objective, -(answer - 0.8) * (answer - 0.8), 1e-3);
  }
}

TEST(Lbfgs, BlackAndWhitePixelsAreNotStuckAtTheirSide) {
  for (const auto& [reference, wanted] : {std::pair(0.0F, 0.4), std::pair(1.0F, 0.3)}) {
    const OnePixel field([wanted = wanted](float x) {
      return std::pair(-(x - wanted) * (x - wanted), static_cast<float>(-2.0 * (x - wanted)));
    });
    const std::vector<Key> keys{Key(1)};
    const AttackResult result = Lbfgs({.penalties = 2, .greatest = 1e-3, .iterations = 50})(
        field, Matrix(1, 1, reference), {.radius = 1.0}, keys);
    EXPECT_NEAR(result.adversarial(0, 0), wanted, 1e-2);
  }
}

TEST(Lbfgs, BringsAnImageNearItsTarget) {
  const Target target = relu_target(4);
  const auto goal = target.goal("latent_means");
  const Objective objective(*target.victim, *goal);
  const auto keys = attack_keys(Key(1), "latent_means", positions(4), 1);
  const auto curves = sweep_penalties(objective, target.references, keys, {.penalties = 9}, {.threads = 2});
  EXPECT_EQ(curves.size(), 4U);
  std::vector<double> clean(4);
  objective.evaluate(consecutive(0, target.references.rows()), target.references, clean, nullptr);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_GT(curves[i].front().objective, 0.1 * clean[i]);               // the smallest penalty: nearly there
    EXPECT_NEAR(curves[i].back().objective, clean[i], 0.01 * -clean[i]);  // the largest: nearly the reference
    EXPECT_LT(curves[i].back().distortion, 1e-3);
    const double area = DistortionCurve(curves[i], 8.0, -clean[i]).area();
    EXPECT_GT(area, 0.0);
    EXPECT_LT(area, 0.9);
  }
}

TEST(Lbfgs, BadOptionsAreNamed) {
  EXPECT_THAT([] { Lbfgs({.penalties = 0}); },
              testing::ThrowsMessage<Misuse>("[attacks.lbfgs] penalties must be a whole number of at least 1, got 0"));
  EXPECT_THROW(Lbfgs({.least = 0.0}), Misuse);
  EXPECT_THROW(Lbfgs({.least = 2.0, .greatest = 1.0}), Misuse);
  EXPECT_THROW(Lbfgs({.start_deviation = 0.0}), Misuse);
}

}  // namespace
}  // namespace vaeguard::attacks
