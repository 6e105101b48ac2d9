// Optimisers: the modes of quadratics and of the linear VAE, gradients that are no numbers, and what is counted.
#include "vaeguard/defences/descent.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <mutex>
#include <vector>

#include "vaeguard/base/random.h"
#include "vaeguard/energy/posterior.h"
#include "vaeguard/models/linear_vae.h"

namespace vaeguard::defences {
namespace {

/// sum_d c_d (z_d - m_d)^2 / 2 with curvatures 1, 10 and 100; counts its gradients, and may give NaN for some of them.
class Quadratic : public ScalarField {
 public:
  [[nodiscard]] std::int64_t size() const override { return 4; }
  [[nodiscard]] std::int64_t dimension() const override { return 3; }
  void evaluate(std::span<const std::int64_t> functions, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override {
    if (gradients != nullptr) {
      gradients->resize(points.rows(), 3);
      ++evaluations;
    }
    for (std::int64_t b = 0; b < points.rows(); ++b) {
      const std::int64_t function = functions[static_cast<std::size_t>(b)];
      double sum = 0.0;
      for (std::int64_t d = 0; d < 3; ++d) {
        const double curvature = std::pow(10.0, static_cast<double>(d));
        const double gap = points(b, d) - mode(function, d);
        sum += 0.5 * curvature * gap * gap;
        if (gradients != nullptr) {
          (*gradients)(b, d) = broken(function, d) ? std::nanf("") : static_cast<float>(curvature * gap);
        }
      }
      values[static_cast<std::size_t>(b)] = sum;
    }
  }
  static double mode(std::int64_t b, std::int64_t d) { return 0.5 * static_cast<double>(b) - static_cast<double>(d); }
  [[nodiscard]] bool broken(std::int64_t b, std::int64_t d) const {
    return b == broken_image && d == broken_coordinate;
  }

  std::int64_t broken_image = -1;
  std::int64_t broken_coordinate = 1;
  mutable int evaluations = 0;
};

Matrix starts(std::int64_t rows) {
  Matrix points(rows, 3);
  fill_normal(Key(1), points.flat());
  return points;
}

TEST(Descent, AdamReachesTheModeOfAQuadratic) {
  const Quadratic field;
  Matrix points = starts(4);
  descend_adam(field, consecutive(0, points.rows()), {.gradients = 400, .learning_rate = 0.15}, points);
  for (std::int64_t b = 0; b < 4; ++b) {
    for (std::int64_t d = 0; d < 3; ++d) {
      EXPECT_NEAR(points(b, d), Quadratic::mode(b, d), 1e-3);  // the rate falls to 0, so steps end below it
    }
  }
  EXPECT_EQ(field.evaluations, 400);
}

TEST(Descent, AdamMovesEachImageByItself) {
  const Quadratic field;
  const Matrix from = starts(4);
  Matrix together = from;
  descend_adam(field, consecutive(0, together.rows()), {.gradients = 20}, together);
  for (std::int64_t b = 0; b < 4; ++b) {
    Matrix alone = from.slice(b, 1);
    descend_adam(field, {&b, 1}, {.gradients = 20}, alone);
    EXPECT_EQ(alone, together.slice(b, 1));
  }
}

TEST(Descent, AdamTakesAGradientThatIsNoNumberForZero) {
  Quadratic field;
  field.broken_image = 2;
  const Matrix from = starts(4);
  Matrix points = from;
  descend_adam(field, consecutive(0, points.rows()), {.gradients = 400, .learning_rate = 0.15}, points);
  EXPECT_EQ(points(2, 1), from(2, 1));
  EXPECT_NEAR(points(2, 0), Quadratic::mode(2, 0), 1e-3);
  EXPECT_NEAR(points(1, 1), Quadratic::mode(1, 1), 1e-3);
}

TEST(Descent, AdamGoesOnWhereTheSquareOfAGradientOverflows) {
  const Quadratic field;
  Matrix points(1, 3, 1e30F);
  descend_adam(field, consecutive(0, points.rows()), {.gradients = 10}, points);
  for (const float z : points.values()) {
    EXPECT_TRUE(std::isfinite(z));
  }
}

/// (z^2 - 9)^2 + 20 z in one dimension: wells at -3.2 and 2.7, the left one is lower, and a ridge at 0.6.
class TwoWells : public ScalarField {
 public:
  [[nodiscard]] std::int64_t size() const override { return 8; }
  [[nodiscard]] std::int64_t dimension() const override { return 1; }
  void evaluate(std::span<const std::int64_t> /*functions*/, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override {
    if (gradients != nullptr) {
      gradients->resize(points.rows(), 1);
    }
    for (std::int64_t b = 0; b < points.rows(); ++b) {
      const double z = points(b, 0);
      values[static_cast<std::size_t>(b)] = (z * z - 9.0) * (z * z - 9.0) + 20.0 * z;
      if (gradients != nullptr) {
        (*gradients)(b, 0) = static_cast<float>(4.0 * z * (z * z - 9.0) + 20.0);
      }
    }
  }
};

std::vector<Key> keys_of(std::int64_t rows) {
  std::vector<Key> keys;
  for (std::int64_t b = 0; b < rows; ++b) {
    keys.push_back(Key(3).fold(static_cast<std::uint64_t>(b)));
  }
  return keys;
}

// A quarter of normal steps lead over the ridge, so all 63 of a function fail once in 10^8.
TEST(Descent, SeveralStartsFindTheLowerOfTwoWells) {
  const TwoWells field;
  const auto functions = consecutive(0, 8);
  Matrix alone(8, 1, 1.2F);
  descend_adam(field, functions, {.gradients = 100}, alone);
  Matrix points(8, 1, 1.2F);
  descend_adam_from_several(field, functions, {.gradients = 100}, 64, keys_of(8), points);
  for (std::int64_t b = 0; b < 8; ++b) {
    EXPECT_GT(alone(b, 0), 0.0F);
    EXPECT_LT(points(b, 0), -3.0F);
  }
}

TEST(Descent, OneStartIsAdamAndEachFunctionHasItsOwnNoise) {
  const TwoWells field;
  const auto keys = keys_of(8);
  const auto functions = consecutive(0, 8);
  Matrix one(8, 1, 1.2F);
  Matrix adam = one;
  descend_adam_from_several(field, functions, {.gradients = 5}, 1, keys, one);
  descend_adam(field, functions, {.gradients = 5}, adam);
  EXPECT_EQ(one, adam);
  Matrix together(8, 1, 1.2F);
  descend_adam_from_several(field, functions, {.gradients = 5}, 4, keys, together);
  for (std::int64_t b = 0; b < 8; ++b) {
    Matrix alone(1, 1, 1.2F);
    descend_adam_from_several(field, {&b, 1}, {.gradients = 5}, 4,
                              std::span(keys).subspan(static_cast<std::size_t>(b), 1), alone);
    EXPECT_EQ(alone, together.slice(b, 1));
  }
}

TEST(Descent, AnEnergyThatIsNoNumberLosesToAnyOther) {
  const TwoWells field;
  const auto functions = consecutive(0, 2);
  Matrix points(2, 1, 1.0F);
  std::vector<double> lowest{std::nan(""), 0.0};
  keep_lowest(field, functions, Matrix(2, 1, 2.0F), points, lowest);
  EXPECT_EQ(points(0, 0), 2.0F);
  EXPECT_EQ(points(1, 0), 1.0F);
  EXPECT_EQ(lowest[1], 0.0);
  keep_lowest(field, functions, Matrix(2, 1, std::nanf("")), points, lowest);
  EXPECT_EQ(points(0, 0), 2.0F);
}

TEST(Descent, LbfgsReachesTheModeOfAQuadraticInFewGradientsAndCountsThem) {
  const Quadratic field;
  Matrix points = starts(4);
  for (std::int64_t b = 0; b < 4; ++b) {
    field.evaluations = 0;
    const int spent = descend_lbfgs(field, b, 100, points.row(b));
    EXPECT_EQ(spent, field.evaluations);
    EXPECT_LE(spent, 40);
    for (std::int64_t d = 0; d < 3; ++d) {
      EXPECT_NEAR(points(b, d), Quadratic::mode(b, d), 1e-4);
    }
  }
}

TEST(Descent, LbfgsStopsSoonAfterTheGradientsItMaySpend) {
  const Quadratic field;
  for (const int gradients : {1, 2, 5}) {
    Matrix point(1, 3, 30.0F);
    const double before = values_of(field, point, 1)[0];
    const int spent = descend_lbfgs(field, 0, gradients, point.row(0));
    EXPECT_GE(spent, gradients);
    EXPECT_LE(spent, gradients + 20);  // one line search more
    EXPECT_LT(values_of(field, point, 1)[0], before);
  }
}

TEST(Descent, LbfgsLeavesAFinitePointWhereGradientsOrValuesAreNoNumbers) {
  Quadratic field;
  field.broken_image = 2;
  Matrix point = starts(1);
  EXPECT_GE(descend_lbfgs(field, 2, 30, point.row(0)), 1);
  for (const float z : point.values()) {
    EXPECT_TRUE(std::isfinite(z));
  }
  const auto oracle = models::LinearVae::random(Key(2), 12, 3, 0.4, 0.05);
  const models::Vae vae(oracle.weights());
  const energy::PosteriorEnergy energy(vae, Matrix(1, 12, 0.5F));
  Matrix far(1, 3, 1e38F);  // the decoder overflows
  static_cast<void>(descend_lbfgs(energy, 0, 30, far.row(0)));
  for (const float z : far.values()) {
    EXPECT_TRUE(std::isfinite(z));
  }
}

// U is quadratic there: the mode is the posterior's mean.
TEST(Descent, BothReachTheModeOfTheLinearVaesPosterior) {
  const auto oracle = models::LinearVae::random(Key(2), 12, 4, 0.4, 0.05);
  const models::Vae vae(oracle.weights());
  Matrix images(5, 12);
  fill_uniform(Key(3), 0.0F, 1.0F, images.flat());
  const energy::PosteriorEnergy energy(vae, images);
  Matrix adam(5, 4);
  descend_adam(energy, consecutive(0, adam.rows()), {.gradients = 400}, adam);
  Matrix lbfgs(5, 4);
  for (std::int64_t b = 0; b < 5; ++b) {
    static_cast<void>(descend_lbfgs(energy, b, 200, lbfgs.row(b)));
    const auto truth = oracle.posterior(images.row(b));
    for (std::int64_t d = 0; d < 4; ++d) {
      EXPECT_NEAR(adam(b, d), truth.mean[static_cast<std::size_t>(d)], 1e-3);
      // Gradients are float: 1e-6 of terms near 50, over curvatures of at least 1.
      EXPECT_NEAR(lbfgs(b, d), truth.mean[static_cast<std::size_t>(d)], 1e-3);
    }
  }
}

}  // namespace
}  // namespace vaeguard::defences
