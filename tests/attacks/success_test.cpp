// Rules of success: on the mean code, and as shares of drawn codes against the normal distribution.
#include "vaeguard/attacks/success.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "tests/attacks/fixtures.h"
#include "tests/expect_misuse.h"
#include "vaeguard/attacks/pgd.h"
#include "vaeguard/attacks/smallest_radius.h"

namespace vaeguard::attacks {
namespace {

GoalInputs inputs_of(const Target& target, std::int64_t draws = 0) {
  return {.references = target.vae->encode(target.references),
          .classifier = &target.classifier,
          .vae = target.vae.get(),
          .images = &target.references,
          .key = Key(12),
          .draws = draws};
}

std::vector<float> outputs_of(const Target& target, const Matrix& images, std::int64_t row) {
  const Matrix outputs = networks::forward_all(target.vae->layers()->encoder(), images, 1);
  return {outputs.row(row).begin(), outputs.row(row).end()};
}

TEST(Success, OfTheClassIsThatThePredictionChanged) {
  const Target target = relu_target(6);
  const Matrix attacked = random_images(Key(30), 6, 64);
  const auto judge = make_judge({}, inputs_of(target));
  const auto before = target.classifier.predict(target.vae->encode(target.references).mean);
  const auto after = target.classifier.predict(target.vae->encode(attacked).mean);
  int changed = 0;
  for (std::int64_t i = 0; i < 6; ++i) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_EQ(judge->value(i, outputs_of(target, target.references, i), {}), 0.0);
    EXPECT_EQ(judge->value(i, outputs_of(target, attacked, i), {}), before[at] == after[at] ? 0.0 : 1.0);
    changed += before[at] == after[at] ? 0 : 1;
  }
  EXPECT_GT(changed, 0);
}

TEST(Success, OfTheReconstructionIsThatItMovedFartherThanTheDistance) {
  const Target target = linear_target(3);
  const Matrix attacked = random_images(Key(31), 3, 6);
  const auto damage = target.goal("maximum_damage");
  for (std::int64_t i = 0; i < 3; ++i) {
    const std::vector<float> outputs = outputs_of(target, attacked, i);
    const double moved = damage->value(i, outputs, {});
    ASSERT_GT(moved, 0.0);
    EXPECT_EQ(make_judge({Success::Rule::reconstruction, 0.999 * moved}, inputs_of(target))->value(i, outputs, {}),
              1.0);
    EXPECT_EQ(make_judge({Success::Rule::reconstruction, moved}, inputs_of(target))->value(i, outputs, {}), 0.0);
  }
}

TEST(Success, HasNoGradientAndTakesNoNumbersForFailure) {
  const Target target = relu_target(1);
  const auto judge = make_judge({Success::Rule::reconstruction, 1e-3}, inputs_of(target));
  const std::vector<float> outputs(8, std::nanf(""));
  std::vector<float> gradient(8, 1.0F);
  EXPECT_EQ(judge->value(0, outputs, gradient), 0.0);
  EXPECT_EQ(gradient, std::vector<float>(8));
}

// One latent: the code of draw e is m + s e, its reconstruction |w| |m + s e - m_clean| away from the clean one, so
// the share within r is Phi((r / |w| - t) / s) - Phi((-r / |w| - t) / s) for t = m - m_clean.
TEST(SuccessStatistical, OfDrawnCodesIsTheShareThatCamutosDefinitionCounts) {
  const models::LinearVae linear = models::LinearVae::random(Key(1), 6, 1, 0.5, 0.05);
  const auto vae = std::make_shared<const models::Vae>(linear.weights());
  const Target target{vae, Matrix(1, 6, 0.5F), random_classifier(Key(3), 2, 1)};
  constexpr std::int64_t kDraws = 20000;
  const GoalInputs inputs = inputs_of(target, kDraws);
  double w = 0.0;
  for (const float weight : linear.weight().values()) {
    w += static_cast<double>(weight) * weight;
  }
  w = std::sqrt(w);
  const auto normal = [](double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); };
  for (const double t : {0.0, 0.4, 0.5, 0.6, 1.0}) {
    const double s = 0.3;
    const double r = 0.5 * w;
    const std::vector<float> outputs{static_cast<float>(inputs.references.mean(0, 0) + t),
                                     static_cast<float>(2.0 * std::log(s))};
    const double share = make_judge({Success::Rule::reconstruction, r}, inputs)->value(0, outputs, {});
    const double within = normal((0.5 - t) / s) - normal((-0.5 - t) / s);
    // 6.5 standard errors of at most 1 / (2 sqrt(20000)): five draws of this fail falsely once in 2e9.
    EXPECT_NEAR(share, 1.0 - within, 6.5 * 0.5 / std::sqrt(static_cast<double>(kDraws))) << t;
    if (t != 0.5) {
      EXPECT_EQ(share > kMostCodes, within < 0.5) << t;
    }
  }
}

// What an image's reconstruction is moved by one pixel: row j is W A e_j, W and A the maps of decoder and encoder.
Matrix linear_map(const Target& target) {
  const Matrix black(1, 6);
  const Matrix origin = target.vae->decode(target.vae->encode(black).mean);
  Matrix map(6, 6);
  for (std::int64_t j = 0; j < 6; ++j) {
    Matrix one = black;
    one(0, j) = 1.0F;
    const Matrix moved = target.vae->decode(target.vae->encode(one).mean);
    std::ranges::transform(moved.row(0), origin.row(0), map.row(j).begin(), std::minus<>{});
  }
  return map;
}

// By power iteration: |M M' d| of the unit d at which it settles is the square of the singular value.
double largest_singular_value(const Matrix& map) {
  std::vector<double> d(static_cast<std::size_t>(map.rows()), 1.0);
  double squared = 0.0;
  for (int iteration = 0; iteration < 200; ++iteration) {
    std::vector<double> next(d.size());
    for (std::int64_t k = 0; k < map.columns(); ++k) {
      double product = 0.0;
      for (std::size_t j = 0; j < d.size(); ++j) {
        product += map(static_cast<std::int64_t>(j), k) * d[j];
      }
      for (std::size_t j = 0; j < d.size(); ++j) {
        next[j] += map(static_cast<std::int64_t>(j), k) * product;
      }
    }
    squared = std::sqrt(std::inner_product(next.begin(), next.end(), next.begin(), 0.0));
    std::ranges::transform(next, d.begin(), [&](double value) { return value / squared; });
  }
  return std::sqrt(squared);
}

// The greatest |W A d| over |d|_2 <= r is r times the largest singular value s: the smallest radius is distance / s.
TEST(Success, SmallestRadiusOfALinearReconstructionIsTheDistanceOverTheLargestSingularValue) {
  const Target target = linear_target(5);
  const double distance = 0.1 * largest_singular_value(linear_map(target));  // the radius 0.1 never meets the pixel box
  const auto goal = target.goal("maximum_damage");
  const Objective objective(*target.victim, *goal);
  const auto rule = make_judge({Success::Rule::reconstruction, distance}, inputs_of(target));
  const Objective judge(*target.victim, *rule);
  const auto keys = attack_keys(Key(7), "maximum_damage", positions(5), 1);
  const auto found =
      smallest_radii(Pgd({.iterations = 60}), objective, target.references, {.norm = Norm::l2, .radius = 0.16}, keys,
                     {.enough = kMostCodes, .steps = 9, .judge = &judge}, {.threads = 2});
  for (const double radius : found.radius) {
    EXPECT_GE(radius, 0.1 * (1.0 - 1e-5));  // floats
    // Starts that are nearly across the first singular vector may end 2 % short of it; then the last halving.
    EXPECT_LE(radius, 0.1 * 1.02 + 0.16 / 512);
  }
}

TEST(Success, RefusesDistancesThatAreNone) {
  expect_misuse([] { validate(Success{Success::Rule::reconstruction, -1.0}); }, {"[attacks.success]", "got -1"});
  expect_misuse([] { validate(Success{Success::Rule::reconstruction, std::nan("")}); }, {"got nan"});
}

}  // namespace
}  // namespace vaeguard::attacks
