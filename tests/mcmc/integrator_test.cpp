// Leapfrog: a hand-worked step, reversibility, volume, order of the energy error, cost.
#include "vaeguard/mcmc/integrator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "tests/mcmc/replicates.h"
#include "tests/mcmc/toy_fields.h"

namespace vaeguard::mcmc {
namespace {

Matrix normals(Key key, std::int64_t rows, std::int64_t columns) {
  Matrix matrix(rows, columns);
  fill_normal(key, matrix.flat());
  return matrix;
}

Metric uneven_metric(std::int64_t chains) {
  return parameters_of({.inverse_mass = {0.5F, 2.0F, 1.5F}}, chains, 3).metric;
}

using Vector6 = std::array<double, 6>;

/// By Gaussian elimination with row pivots.
double determinant(std::array<Vector6, 6> rows) {
  double result = 1.0;
  for (std::size_t k = 0; k < 6; ++k) {
    for (std::size_t i = k + 1; i < 6; ++i) {
      if (std::abs(rows[i][k]) > std::abs(rows[k][k])) {
        std::swap(rows[i], rows[k]);
        result = -result;
      }
    }
    result *= rows[k][k];
    for (std::size_t i = k + 1; i < 6; ++i) {
      const double factor = rows[i][k] / rows[k][k];
      for (std::size_t j = k; j < 6; ++j) {
        rows[i][j] -= factor * rows[k][j];
      }
    }
  }
  return result;
}

TEST(Leapfrog, OneStepByHand) {
  // U = z^2 / 2, z = 1, p = 0, step 0.5: p = -0.25, z = 0.875, p = -0.25 - 0.25 * 0.875. All exact in binary.
  const GaussianField field = GaussianField::standard(1);
  const Target target = first_functions(field, 1);
  State state = make_state(target, Matrix(1, 1, 1.0F));
  Matrix momentum(1, 1, 0.0F);
  leapfrog(target, identity_metric(1, 1), std::vector{0.5}, 1, state, momentum);
  EXPECT_EQ(state.position(0, 0), 0.875F);
  EXPECT_EQ(momentum(0, 0), -0.46875F);
  EXPECT_EQ(state.gradient(0, 0), 0.875F);
  EXPECT_EQ(state.energy[0], 0.5 * 0.875 * 0.875);
}

TEST(Leapfrog, TwoStepsWithAMetricByHand) {
  // Inverse mass 4, z = 0, p = 1, step 0.5: z = 2, p = 1 - 0.5 * 2 = 0, z = 2, p = 0 - 0.25 * 2.
  const GaussianField field = GaussianField::standard(1);
  const Target target = first_functions(field, 1);
  State state = make_state(target, Matrix(1, 1, 0.0F));
  Matrix momentum(1, 1, 1.0F);
  leapfrog(target, Metric{Matrix(1, 1, 4.0F)}, std::vector{0.5}, 2, state, momentum);
  EXPECT_EQ(state.position(0, 0), 2.0F);
  EXPECT_EQ(momentum(0, 0), -0.5F);
}

TEST(Leapfrog, RunsBackToItsStartWhenTheMomentumIsTurned) {
  const GumbelField gumbel({0.5, 1.0, 3.0});
  const GaussianField gaussian = GaussianField::correlated();
  for (const ToyField* field : {static_cast<const ToyField*>(&gumbel), static_cast<const ToyField*>(&gaussian)}) {
    const Target target = first_functions(*field, 20);
    const Matrix start = exact_draws(*field, 20, Key(1));
    const std::vector<double> steps(20, 0.1);
    State state = make_state(target, start);
    Matrix momentum = normals(Key(2), 20, 3);
    const Matrix first_momentum = momentum;
    leapfrog(target, uneven_metric(20), steps, 15, state, momentum);
    double moved = 0.0;
    for (std::int64_t b = 0; b < 20; ++b) {
      moved = std::max(moved, static_cast<double>(std::abs(state.position(b, 1) - start(b, 1))));
    }
    EXPECT_GT(moved, 1.0);
    for (float& value : momentum.flat()) {
      value = -value;
    }
    leapfrog(target, uneven_metric(20), steps, 15, state, momentum);
    // 30 steps of a few float roundings (6e-8 each of values up to 5), amplified at most tenfold by the wall: 1e-4.
    for (std::int64_t b = 0; b < 20; ++b) {
      for (std::int64_t d = 0; d < 3; ++d) {
        EXPECT_NEAR(state.position(b, d), start(b, d), 1e-4);
        EXPECT_NEAR(momentum(b, d), -first_momentum(b, d), 1e-4);
      }
    }
  }
}

TEST(Leapfrog, PreservesVolumeOfPhaseSpace) {
  // On a quadratic energy the map of (z, p) is linear, so differences over whole units give its Jacobian.
  const GaussianField field = GaussianField::correlated();
  const Target target = first_functions(field, 1);
  const auto map = [&](const Vector6& point) {
    Matrix position(1, 3);
    Matrix momentum(1, 3);
    for (std::int64_t d = 0; d < 3; ++d) {
      position(0, d) = static_cast<float>(point[static_cast<std::size_t>(d)]);
      momentum(0, d) = static_cast<float>(point[static_cast<std::size_t>(3 + d)]);
    }
    State state = make_state(target, position);
    leapfrog(target, uneven_metric(1), std::vector{0.3}, 7, state, momentum);
    return Vector6{state.position(0, 0), state.position(0, 1), state.position(0, 2),
                   momentum(0, 0),       momentum(0, 1),       momentum(0, 2)};
  };
  std::array<Vector6, 6> jacobian{};  // one row an input: a transpose has the same determinant
  double moved = 0.0;
  for (std::size_t j = 0; j < 6; ++j) {
    Vector6 unit{};
    unit[j] = 1.0;
    const Vector6 above = map(unit);
    unit[j] = -1.0;
    const Vector6 below = map(unit);
    for (std::size_t i = 0; i < 6; ++i) {
      jacobian[j][i] = 0.5 * (above[i] - below[i]);
      moved += std::abs(jacobian[j][i] - (i == j ? 1.0 : 0.0));
    }
  }
  EXPECT_GT(moved, 1.0);
  // Entries err by about 1e-6 (float); the determinant's sensitivity is the size of its cofactors, below 30 here.
  EXPECT_NEAR(determinant(jacobian), 1.0, 1e-4);
}

TEST(Leapfrog, EnergyErrorShrinksWithTheSquareOfTheStep) {
  const GumbelField field({1.0, 1.0, 1.5});
  constexpr std::int64_t kChains = 200;
  const Target target = first_functions(field, kChains);
  const auto error_of = [&](int steps) {
    State state = make_state(target, exact_draws(field, kChains, Key(3)));
    Matrix momentum = normals(Key(4), kChains, 3);
    const auto metric = identity_metric(kChains, 3);
    const auto potential = state.energy;
    const auto kinetic = kinetic_energy(metric, momentum);
    leapfrog(target, metric, std::vector<double>(kChains, 1.0 / steps), steps, state, momentum);
    const auto kinetic_after = kinetic_energy(metric, momentum);
    double sum = 0.0;
    for (std::size_t b = 0; b < kChains; ++b) {
      const double error = state.energy[b] + kinetic_after[b] - potential[b] - kinetic[b];
      sum += error * error;
    }
    return std::sqrt(sum / kChains);
  };
  // Trajectories of length 1: halving the step divides the error by 4, up to terms of order step^2 (a few per cent).
  const double coarse = error_of(10);
  const double middle = error_of(20);
  const double fine = error_of(40);
  EXPECT_GT(coarse, 1e-4);  // well above float rounding
  EXPECT_NEAR(coarse / middle, 4.0, 0.4);
  EXPECT_NEAR(middle / fine, 4.0, 0.2);
}

TEST(Leapfrog, CostsOneGradientAStepAndChain) {
  const GaussianField field = GaussianField::standard(3);
  const Target target = first_functions(field, 5);
  State state = make_state(target, Matrix(5, 3, 1.0F));
  Matrix momentum(5, 3, 0.5F);
  field.evaluations = 0;
  leapfrog(target, identity_metric(5, 3), std::vector<double>(5, 0.1), 12, state, momentum);
  EXPECT_EQ(field.evaluations, 5 * 12);
}

TEST(Leapfrog, EachChainHasItsOwnStepSize) {
  const GaussianField field = GaussianField::standard(2);
  const auto run = [&](const std::vector<double>& steps) {
    const Target target = first_functions(field, std::ssize(steps));
    State state = make_state(target, Matrix(std::ssize(steps), 2, 1.0F));
    Matrix momentum(state.chains(), 2, 0.5F);
    leapfrog(target, identity_metric(state.chains(), 2), steps, 3, state, momentum);
    return state.position;
  };
  const Matrix both = run({0.1, 0.4});
  EXPECT_EQ(both.slice(0, 1), run({0.1}));
  EXPECT_EQ(both.slice(1, 1), run({0.4}));
  EXPECT_NE(both(0, 0), both(1, 0));
}

/// Counts what it is asked for; its energies and gradients are those of a standard normal.
class CountingField : public ScalarField {
 public:
  [[nodiscard]] std::int64_t size() const override { return 1; }
  [[nodiscard]] std::int64_t dimension() const override { return 1; }
  void evaluate(std::span<const std::int64_t> functions, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override {
    ++energies;
    values[0] = 0.5 * static_cast<double>(points(0, 0)) * points(0, 0);
    if (gradients != nullptr) {
      this->gradients(functions, points, *gradients);
    }
  }
  void gradients(std::span<const std::int64_t> /*functions*/, const Matrix& points, Matrix& gradients) const override {
    ++gradient_count;
    gradients = points;
  }
  mutable int energies = 0;
  mutable int gradient_count = 0;
};

TEST(Leapfrog, AsksForOneEnergyATrajectoryAndOneGradientAStep) {
  const CountingField field;
  const Target target = first_functions(field, 1);
  State state = make_state(target, Matrix(1, 1, 0.3F));
  field.energies = field.gradient_count = 0;
  Matrix momentum(1, 1, 1.0F);
  leapfrog(target, identity_metric(1, 1), std::vector{0.1}, 7, state, momentum);
  EXPECT_EQ(field.energies, 1);
  EXPECT_EQ(field.gradient_count, 7);
  EXPECT_DOUBLE_EQ(state.energy[0], 0.5 * static_cast<double>(state.position(0, 0)) * state.position(0, 0));
  EXPECT_EQ(state.gradient, state.position);
}

/// Adds the first function and the number of steps to positions, and turns momenta by the first step size.
class ShiftingField : public TrajectoryField {
 public:
  [[nodiscard]] std::int64_t size() const override { return 9; }
  [[nodiscard]] std::int64_t dimension() const override { return 1; }
  void evaluate(std::span<const std::int64_t> /*functions*/, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override {
    std::ranges::fill(values, 0.0);
    if (gradients != nullptr) {
      *gradients = Matrix(points.rows(), 1, 0.0F);
    }
  }
  void leapfrog(std::span<const std::int64_t> functions, const Metric& metric, std::span<const double> step_size,
                int steps, State& state, Matrix& momentum) const override {
    for (float& value : state.position.flat()) {
      value += static_cast<float>(functions[0] + steps) * metric.inverse_mass(0, 0);
    }
    for (float& value : momentum.flat()) {
      value *= static_cast<float>(-step_size[0]);
    }
    state.energy.assign(state.energy.size(), 7.0);
  }
};

TEST(Leapfrog, LeavesWholeTrajectoriesToAFieldThatIntegratesItself) {
  const ShiftingField field;
  const Target target{field, {4, 8}};
  State state = make_state(target, Matrix(2, 1, 1.0F));
  Matrix momentum(2, 1, 3.0F);
  leapfrog(target, Metric{Matrix(2, 1, 10.0F)}, std::vector{0.5, 0.5}, 6, state, momentum);
  EXPECT_EQ(state.position, Matrix(2, 1, 101.0F));
  EXPECT_EQ(momentum, Matrix(2, 1, -1.5F));
  EXPECT_EQ(state.energy, std::vector<double>(2, 7.0));
  EXPECT_EQ(field.preferred_chains(), 0);
}

}  // namespace
}  // namespace vaeguard::mcmc
