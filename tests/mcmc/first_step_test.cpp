// First step sizes: the largest power of two that one leapfrog step bears, at a bounded cost, each chain by itself.
#include "vaeguard/mcmc/first_step.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/mcmc/replicates.h"
#include "vaeguard/base/error.h"
#include "vaeguard/mcmc/integrator.h"

namespace vaeguard::mcmc {
namespace {

/// The acceptance of one step of each chain with the momentum that the search draws.
bool bears(const ToyField& field, const State& state, std::int64_t b, Key key, double step) {
  const Target target = first_functions(field, 1);
  State one = make_state(target, state.position.slice(b, 1));
  const double before = one.energy[0];
  const Metric metric = identity_metric(1, field.dimension());
  Matrix momentum;
  draw_momentum(metric, std::vector{key}, momentum);
  const double kinetic = kinetic_energy(metric, momentum)[0];
  leapfrog(target, metric, std::vector{step}, 1, one, momentum);
  return one.energy[0] + kinetic_energy(metric, momentum)[0] - before - kinetic <= std::log(2.0);
}

TEST(FirstStep, IsTheLastPowerOfTwoThatIsAcceptedHalfTheTime) {
  const GaussianField field = GaussianField::scaled({0.05, 1.0, 3.0});
  const Target target = first_functions(field, 40);
  const State state = make_state(target, exact_draws(field, 40, Key(1)));
  const auto keys = chain_keys(Key(2), 0, 40);
  for (const double guess : {0.001, 0.1, 5.0}) {
    const FirstSteps found =
        find_first_steps(keys, target, identity_metric(40, 3), state, {.guess = guess, .trials = 30});
    for (std::size_t b = 0; b < 40; ++b) {
      const auto row = static_cast<std::int64_t>(b);
      EXPECT_TRUE(bears(field, state, row, keys[b], found.step_size[b]));
      EXPECT_NEAR(std::remainder(std::log2(found.step_size[b] / guess), 1.0), 0.0, 1e-9);
      EXPECT_LT(found.step_size[b], 0.5);  // a step of 0.1 or more along the narrow coordinate is unstable
      EXPECT_GT(found.step_size[b], 0.02);
      if (guess < 5.0) {
        EXPECT_FALSE(bears(field, state, row, keys[b], 2.0 * found.step_size[b]));
      }
      const int halvings = static_cast<int>(std::lround(std::abs(std::log2(found.step_size[b] / guess))));
      EXPECT_LE(found.gradients[b], halvings + 2);
    }
  }
}

TEST(FirstStep, SpendsNoMoreThanItsTrials) {
  const GaussianField field = GaussianField::standard(2);
  const Target target = first_functions(field, 10);
  const State state = make_state(target, exact_draws(field, 10, Key(3)));
  for (const int trials : {0, 1, 4}) {
    field.evaluations = 0;
    const FirstSteps found = find_first_steps(chain_keys(Key(4), 0, 10), target, identity_metric(10, 2), state,
                                              {.guess = 1e-6, .trials = trials});
    EXPECT_EQ(field.evaluations, 10 * trials);
    EXPECT_EQ(found.gradients, std::vector<int>(10, trials));
    EXPECT_DOUBLE_EQ(found.step_size[0], 1e-6 * std::pow(2.0, std::max(0, trials - 1)));
  }
}

TEST(FirstStep, AChainsStepDoesNotDependOnItsNeighbours) {
  const GaussianField field = GaussianField::correlated();
  const Target target = first_functions(field, 20);
  const State all = make_state(target, exact_draws(field, 20, Key(5)));
  const auto keys = chain_keys(Key(6), 0, 20);
  const FirstSteps together = find_first_steps(keys, target, identity_metric(20, 3), all, {});
  for (std::size_t b = 0; b < 20; ++b) {
    const State one = make_state(first_functions(field, 1), all.position.slice(static_cast<std::int64_t>(b), 1));
    const FirstSteps alone =
        find_first_steps(std::vector{keys[b]}, first_functions(field, 1), identity_metric(1, 3), one, {});
    EXPECT_EQ(alone.step_size[0], together.step_size[b]);
    EXPECT_EQ(alone.gradients[0], together.gradients[b]);
  }
}

TEST(FirstStep, HalvesAwayFromWhatIsNoNumber) {
  const CutField field(0.5, std::numeric_limits<double>::quiet_NaN());
  const Target target = first_functions(field, 50);
  const State state = make_state(target, Matrix(50, 1, 0.4F));
  const FirstSteps found =
      find_first_steps(chain_keys(Key(7), 0, 50), target, identity_metric(50, 1), state, {.guess = 8.0, .trials = 30});
  for (std::int64_t b = 0; b < 50; ++b) {
    const auto i = static_cast<std::size_t>(b);
    EXPECT_TRUE(bears(field, state, b, chain_keys(Key(7), 0, 50)[i], found.step_size[i]));
  }
}

TEST(FirstStep, RefusesOptionsThatMakeNoSense) {
  const GaussianField field = GaussianField::standard(2);
  const Target target = first_functions(field, 1);
  const State state = make_state(target, Matrix(1, 2));
  const auto find = [&](const FirstStepOptions& options) {
    return find_first_steps(chain_keys(Key(1), 0, 1), target, identity_metric(1, 2), state, options);
  };
  EXPECT_THROW((void)find({.guess = 0.0}), Misuse);
  EXPECT_THROW((void)find({.guess = std::numeric_limits<double>::quiet_NaN()}), Misuse);
  EXPECT_THROW((void)find({.trials = -1}), Misuse);
}

}  // namespace
}  // namespace vaeguard::mcmc
