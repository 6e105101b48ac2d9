// The HMC transition: independence of batch, order and threads, divergences as data, refusals.
#include "vaeguard/mcmc/hmc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "tests/mcmc/mutants.h"
#include "tests/mcmc/replicates.h"
#include "tests/mcmc/toy_fields.h"
#include "vaeguard/base/error.h"

namespace vaeguard::mcmc {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Function b is a Gaussian around (b mod 5): a chain that saw another's function would show it.
class ShiftedField : public ScalarField {
 public:
  [[nodiscard]] std::int64_t size() const override { return 1000; }
  [[nodiscard]] std::int64_t dimension() const override { return 3; }
  void evaluate(std::span<const std::int64_t> functions, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override {
    gradients->resize(points.rows(), 3);
    for (std::int64_t b = 0; b < points.rows(); ++b) {
      double sum = 0.0;
      for (std::int64_t d = 0; d < 3; ++d) {
        const float difference = points(b, d) - static_cast<float>(functions[static_cast<std::size_t>(b)] % 5);
        (*gradients)(b, d) = difference;
        sum += 0.5 * static_cast<double>(difference) * difference;
      }
      values[static_cast<std::size_t>(b)] = sum;
    }
  }
};

struct Finish {
  Matrix position;
  std::vector<double> energy;
  std::vector<double> acceptance;
  bool operator==(const Finish&) const = default;
};

/// Chains first .. first + count of ShiftedField for five transitions.
Finish run_chains(std::int64_t first, std::int64_t count) {
  static const ShiftedField field;
  const Hmc kernel({.leapfrog_steps = 4, .jitter = 0.3});
  const Target target{field, consecutive(first, count)};
  const auto keys = chain_keys(Key(1), first, count);
  Parameters parameters = parameters_of({}, count, 3);
  for (std::int64_t b = 0; b < count; ++b) {
    parameters.step_size[static_cast<std::size_t>(b)] = 0.3 + 0.01 * static_cast<double>(first + b);
  }
  State state = make_state(target, Matrix(count, 3, 1.0F));
  Finish run;
  for (std::uint64_t t = 0; t < 5; ++t) {
    run.acceptance = kernel.step(step_keys(keys, t), target, parameters, state).acceptance;
  }
  run.position = state.position;
  run.energy = state.energy;
  return run;
}

TEST(Hmc, AChainIsBitwiseTheSameInAnyBatchAndOrder) {
  constexpr std::int64_t kAll = 64;
  const Finish all = run_chains(0, kAll);
  for (const std::int64_t batch : {1, 7}) {
    for (std::int64_t first = kAll - 1; first >= 0; first -= batch) {  // last chains first
      const std::int64_t begin = std::max<std::int64_t>(0, first - batch + 1);
      const Finish part = run_chains(begin, first - begin + 1);
      EXPECT_EQ(part.position, all.position.slice(begin, first - begin + 1));
      EXPECT_EQ(part.energy[0], all.energy[static_cast<std::size_t>(begin)]);
      EXPECT_EQ(part.acceptance[0], all.acceptance[static_cast<std::size_t>(begin)]);
    }
  }
}

TEST(Hmc, ChainsAreBitwiseTheSameOnOneAndTwoThreads) {
  const auto on_threads = [](int threads) {
    Matrix positions(100, 3);
    parallel_chunks(100, 9, threads, [&](std::int64_t first, std::int64_t count) {
      positions.assign(first, run_chains(first, count).position);
    });
    return positions;
  };
  const Matrix one = on_threads(1);
  for (int repeat = 0; repeat < 5; ++repeat) {
    EXPECT_EQ(one, on_threads(2));
  }
}

TEST(Hmc, AChainWithALengthOfItsOwnIsBitwiseTheKernelOfThatLength) {
  const ShiftedField field;
  const std::vector<int> steps{3, 1, 3, 5, 5, 1, 3};
  const auto keys = chain_keys(Key(1), 0, 7);
  Parameters parameters = parameters_of({.step_size = 0.4}, 7, 3);
  parameters.leapfrog_steps = steps;
  const Target target{field, consecutive(2, 7)};
  State state = make_state(target, Matrix(7, 3, 1.0F));
  const Info info = Hmc({.jitter = 0.3}).step(keys, target, parameters, state);
  EXPECT_EQ(info.gradients, steps);
  for (std::int64_t b = 0; b < 7; ++b) {
    const auto i = static_cast<std::size_t>(b);
    const Target own{field, {2 + b}};
    State one = make_state(own, Matrix(1, 3, 1.0F));
    const Hmc kernel({.leapfrog_steps = steps[i], .jitter = 0.3});
    const Info alone = kernel.step(std::vector{keys[i]}, own, parameters_of({.step_size = 0.4}, 1, 3), one);
    EXPECT_EQ(one.position, state.position.slice(b, 1));
    EXPECT_EQ(alone.energy_error[0], info.energy_error[i]);
  }
}

TEST(Hmc, StateKeepsEnergyAndGradientOfItsPosition) {
  const GumbelField field({0.5, 1.0, 2.0});
  const Target target = first_functions(field, 200);
  const Hmc kernel({.leapfrog_steps = 3});
  State state = make_state(target, exact_draws(field, 200, Key(2)));
  const Parameters parameters = parameters_of({.step_size = 0.5}, 200, 3);
  const auto keys = chain_keys(Key(3), 0, 200);
  int accepted = 0;
  for (std::uint64_t t = 0; t < 3; ++t) {
    const Matrix before = state.position;
    const Info info = kernel.step(step_keys(keys, t), target, parameters, state);
    const State fresh = make_state(target, state.position);
    EXPECT_EQ(state.energy, fresh.energy);
    EXPECT_EQ(state.gradient, fresh.gradient);
    for (std::int64_t b = 0; b < 200; ++b) {
      const bool moved = before.slice(b, 1) != state.position.slice(b, 1);
      EXPECT_EQ(moved, info.accepted[static_cast<std::size_t>(b)] != 0);
      accepted += moved ? 1 : 0;
    }
  }
  EXPECT_GT(accepted, 100);
  EXPECT_LT(accepted, 590);  // rejections were seen, too
}

TEST(Hmc, CostsItsLeapfrogSteps) {
  const GaussianField field = GaussianField::standard(2);
  const Target target = first_functions(field, 4);
  const Hmc kernel({.leapfrog_steps = 7});
  State state = make_state(target, Matrix(4, 2, 1.0F));
  field.evaluations = 0;
  (void)kernel.step(chain_keys(Key(1), 0, 4), target, parameters_of({}, 4, 2), state);
  EXPECT_EQ(field.evaluations, 4 * kernel.gradients_per_step());
}

TEST(Hmc, WithoutAFaultTheMutantIsThisVeryKernel) {
  const GumbelField field({0.5, 1.0, 2.0});
  const Setting setting{.step_size = 0.4, .inverse_mass = {0.5F, 1.0F, 2.0F}, .transitions = 1};
  const Matrix start = exact_draws(field, 50, Key(2));
  const Outcome hmc = advance(Hmc({.leapfrog_steps = 3}), field, start, setting, Key(4));
  const Outcome mutant = advance(Mutant(Fault::none, 3), field, start, setting, Key(4));
  for (std::int64_t b = 0; b < 50; ++b) {
    for (std::int64_t d = 0; d < 3; ++d) {
      EXPECT_NEAR(hmc.positions(b, d), mutant.positions(b, d), 1e-5);  // roundings, should a compiler fuse differently
    }
  }
  EXPECT_NEAR(hmc.mean_acceptance, mutant.mean_acceptance, 1e-5);
}

TEST(Hmc, ChainsThatLeaveTheDomainAreDivergentAndStay) {
  // One long step from 0.4 into the cut at 0.5 for some momenta: exactly those must be rejected and counted.
  for (const double outside : {kNan, kInfinity, -kInfinity, 0.0}) {
    const CutField field(0.5, outside);
    const Target target = first_functions(field, 400);
    const Hmc kernel({.leapfrog_steps = 1});
    State state = make_state(target, Matrix(400, 1, 0.4F));
    const Info info = kernel.step(chain_keys(Key(5), 0, 400), target, parameters_of({.step_size = 0.5}, 400, 1), state);
    int divergent = 0;
    for (std::size_t b = 0; b < 400; ++b) {
      EXPECT_TRUE(std::isfinite(state.energy[b]));
      EXPECT_LE(state.position.row(static_cast<std::int64_t>(b))[0], 0.5F);
      if (info.divergent[b] != 0) {
        ++divergent;
        EXPECT_EQ(info.accepted[b], 0);
        EXPECT_EQ(info.acceptance[b], 0.0);
        EXPECT_EQ(state.position.row(static_cast<std::int64_t>(b))[0], 0.4F);
        EXPECT_FALSE(std::isfinite(info.energy_error[b]));
      }
    }
    // z + e p - e^2 z / 2 = 0.35 + 0.5 p > 0.5 where p > 0.3: 38 % of the momenta.
    EXPECT_GT(divergent, 110);
    EXPECT_LT(divergent, 200);
  }
}

TEST(Hmc, AChainThatStartsOutsideTheDomainMayEnterIt) {
  const CutField field(0.0, kNan);
  const Target target = first_functions(field, 50);
  const Hmc kernel({.leapfrog_steps = 2});
  State state = make_state(target, Matrix(50, 1, 0.3F));
  EXPECT_EQ(state.energy[0], kInfinity);
  EXPECT_EQ(state.gradient(0, 0), 0.0F);
  const auto keys = chain_keys(Key(6), 0, 50);
  for (std::uint64_t t = 0; t < 30; ++t) {
    (void)kernel.step(step_keys(keys, t), target, parameters_of({.step_size = 0.3}, 50, 1), state);
  }
  for (std::int64_t b = 0; b < 50; ++b) {
    EXPECT_LE(state.position(b, 0), 0.0F);
    EXPECT_TRUE(std::isfinite(state.energy[static_cast<std::size_t>(b)]));
  }
}

TEST(Hmc, AHugeStepIsADivergenceNotAnError) {
  const GumbelField field({1.0, 1.0, 1.0});
  const Target target = first_functions(field, 20);
  const Hmc kernel({.leapfrog_steps = 20});
  State state = make_state(target, Matrix(20, 3, 0.5F));
  const Info info = kernel.step(chain_keys(Key(7), 0, 20), target, parameters_of({.step_size = 1e6}, 20, 3), state);
  EXPECT_THAT(info.divergent, testing::Each(1));
  EXPECT_THAT(info.accepted, testing::Each(0));
  EXPECT_EQ(state.position, Matrix(20, 3, 0.5F));
}

TEST(Hmc, RefusesOptionsAndParametersThatMakeNoSense) {
  EXPECT_THROW(Hmc({.leapfrog_steps = 0}), Misuse);
  EXPECT_THROW(Hmc({.jitter = 1.0}), Misuse);
  EXPECT_THROW(Hmc({.jitter = -0.1}), Misuse);
  EXPECT_THROW(Hmc({.jitter = kNan}), Misuse);
  const GaussianField field = GaussianField::standard(2);
  const Target target = first_functions(field, 3);
  const Hmc kernel({});
  State state = make_state(target, Matrix(3, 2));
  const auto keys = chain_keys(Key(1), 0, 3);
  for (const double step : {0.0, -1.0, kNan, kInfinity}) {
    EXPECT_THROW((void)kernel.step(keys, target, parameters_of({.step_size = step}, 3, 2), state), Misuse);
  }
  EXPECT_THROW((void)kernel.step(keys, target, parameters_of({}, 2, 2), state), Misuse);
  for (const std::vector<int>& steps : {std::vector<int>{1, 2}, {1, 0, 1}}) {
    Parameters parameters = parameters_of({}, 3, 2);
    parameters.leapfrog_steps = steps;
    EXPECT_THROW((void)kernel.step(keys, target, parameters, state), Misuse);
  }
  EXPECT_THROW((void)kernel.step(keys, target, parameters_of({}, 3, 3), state), Misuse);
  EXPECT_THROW((void)make_state(target, Matrix(3, 2, std::numeric_limits<float>::quiet_NaN())), Misuse);
  EXPECT_THROW((void)make_state(target, Matrix(2, 2)), Misuse);
}

}  // namespace
}  // namespace vaeguard::mcmc
