// Dynamic HMC: the same transitions as a plain rendering, honest costs, batch independence, and the law that it keeps.
#include "vaeguard/mcmc/dynamic_hmc.h"

#include <gtest/gtest.h>

#include <numbers>
#include <numeric>
#include <set>
#include <vector>

#include "tests/mcmc/kernel_mutants.h"
#include "tests/mcmc/kernel_suite.h"
#include "tests/mcmc/small_decoder.h"
#include "vaeguard/base/error.h"
#include "vaeguard/mcmc/integrator.h"

namespace vaeguard::mcmc {
namespace {

TEST(DynamicHmc, MakesTheTransitionsOfItsPlainRenderingForFewerGradients) {
  constexpr std::int64_t kChains = 400;
  const GumbelField field = skewed_field();
  for (const double shortest : {0.0, 0.5, 1.0}) {
    const Target target = first_functions(field, kChains);
    State state = make_state(target, exact_draws(field, kChains, Key(1)));
    State plain = state;
    const Parameters parameters = parameters_of({.step_size = 0.4, .inverse_mass = {0.3F, 1.0F, 5.0F}}, kChains, 3);
    const auto keys = chain_keys(Key(2), 0, kChains);
    const Info info = DynamicHmc({.max_steps = 16, .shortest = shortest}).step(keys, target, parameters, state);
    const Info expected = DynamicMutant(DynamicFault::none, 16, shortest).step(keys, target, parameters, plain);
    // The plain one walks back over states that this one has kept: roundings may turn a decision, of 400 hardly any.
    int different = 0;
    for (std::size_t b = 0; b < kChains; ++b) {
      different += info.accepted[b] != expected.accepted[b] ? 1 : 0;
      EXPECT_NEAR(info.energy_error[b], expected.energy_error[b], 1e-3);
      EXPECT_LE(info.gradients[b], expected.gradients[b]);
      EXPECT_GE(info.gradients[b], info.turn[b]);
    }
    EXPECT_LE(different, 2);
    EXPECT_LT(std::accumulate(info.accepted.begin(), info.accepted.end(), 0), kChains);
    EXPECT_GT(std::accumulate(info.accepted.begin(), info.accepted.end(), 0),
              kChains / 20);  // fewest where only L = M is drawn
  }
}

TEST(DynamicHmc, ReportsWhatEachChainSpent) {
  const GumbelField field = skewed_field();
  const DynamicHmc kernel({.max_steps = 16});
  const Target target = first_functions(field, 50);
  State state = make_state(target, exact_draws(field, 50, Key(3)));
  field.evaluations = 0;
  const Info info = kernel.step(chain_keys(Key(4), 0, 50), target, parameters_of({.step_size = 0.3}, 50, 3), state);
  EXPECT_EQ(field.evaluations, std::accumulate(info.gradients.begin(), info.gradients.end(), 0));
  EXPECT_GT(std::set<int>(info.gradients.begin(), info.gradients.end()).size(), 4U);
  EXPECT_LE(*std::ranges::max_element(info.gradients), kernel.gradients_per_step());
}

TEST(DynamicHmc, TurnsAfterHalfAPeriodInManyDimensions) {
  // As |z(0)| = |p(0)| and z(0) . p(0) = 0 to leading order, (z(t) - z(0)) . p(t) is |z(0)|^2 sin(t). With 200
  // dimensions a chain's turn strays from pi by about 0.1, the mean of 40 chains by 0.016; rounding up to whole steps
  // adds 0.05.
  const GaussianField field = GaussianField::standard(200);
  const Target target = first_functions(field, 40);
  State state = make_state(target, exact_draws(field, 40, Key(5)));
  const Info info = DynamicHmc({.max_steps = 100})
                        .step(chain_keys(Key(6), 0, 40), target, parameters_of({.step_size = 0.1}, 40, 200), state);
  EXPECT_NEAR(0.1 * std::accumulate(info.turn.begin(), info.turn.end(), 0) / 40.0, std::numbers::pi + 0.05, 0.1);
}

/// Function b of this field is a normal around (b mod 5) with deviation 1 + b mod 3: chains turn at different times.
class UnlikeField : public ScalarField {
 public:
  [[nodiscard]] std::int64_t size() const override { return 1000; }
  [[nodiscard]] std::int64_t dimension() const override { return 3; }
  void evaluate(std::span<const std::int64_t> functions, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override {
    gradients->resize(points.rows(), 3);
    for (std::int64_t b = 0; b < points.rows(); ++b) {
      const std::int64_t function = functions[static_cast<std::size_t>(b)];
      const auto deviation = static_cast<float>(1 + function % 3);
      double sum = 0.0;
      for (std::int64_t d = 0; d < 3; ++d) {
        const float white = (points(b, d) - static_cast<float>(function % 5)) / deviation;
        (*gradients)(b, d) = white / deviation;
        sum += 0.5 * static_cast<double>(white) * white;
      }
      values[static_cast<std::size_t>(b)] = sum;
    }
  }
};

TEST(DynamicHmc, AChainIsBitwiseTheSameInAnyBatch) {
  const UnlikeField field;
  const DynamicHmc kernel({.max_steps = 20});
  const Setting setting{.step_size = 0.3, .transitions = 5};
  const Matrix start(60, 3, 1.0F);
  const Outcome all = advance(kernel, field, start, setting, Key(7), 60);
  for (const std::int64_t batch : {1, 7}) {
    const Outcome parts = advance(kernel, field, start, setting, Key(7), batch);
    EXPECT_EQ(all.positions, parts.positions);
    EXPECT_EQ(all.energies, parts.energies);
  }
}

TEST(DynamicHmc, ChainsMayHaveAnyFunctionsInAnyOrder) {
  const UnlikeField field;
  const DynamicHmc kernel({.max_steps = 20});
  const std::vector<std::int64_t> chains{9, 2, 1, 5};
  const Target target_of_all{field, consecutive(3, 10)};
  const Target target_of_some{field, {12, 5, 4, 8}};
  const auto keys = chain_keys(Key(8), 0, 10);
  State all = make_state(target_of_all, Matrix(10, 3, 1.0F));
  State some = make_state(target_of_some, Matrix(4, 3, 1.0F));
  std::vector<Key> some_keys;
  for (const std::int64_t chain : chains) {
    some_keys.push_back(keys[static_cast<std::size_t>(chain)]);
  }
  (void)kernel.step(keys, target_of_all, parameters_of({.step_size = 0.3}, 10, 3), all);
  (void)kernel.step(some_keys, target_of_some, parameters_of({.step_size = 0.3}, 4, 3), some);
  EXPECT_EQ(some.position, all.position.gather(chains));
}

/// A device: integrates by itself, and writes down how many chains it was given.
class DeviceField : public TrajectoryField {
 public:
  [[nodiscard]] std::int64_t size() const override { return plain_.size(); }
  [[nodiscard]] std::int64_t dimension() const override { return plain_.dimension(); }
  void evaluate(std::span<const std::int64_t> functions, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override {
    plain_.evaluate(functions, points, values, gradients);
  }
  void leapfrog(std::span<const std::int64_t> functions, const Metric& metric, std::span<const double> step_size,
                int steps, State& state, Matrix& momentum) const override {
    batches.insert(state.chains());
    mcmc::leapfrog({plain_, {functions.begin(), functions.end()}}, metric, step_size, steps, state, momentum);
  }
  mutable std::set<std::int64_t> batches;

 private:
  UnlikeField plain_;
};

TEST(DynamicHmc, ADeviceGetsItsWholeBatchAtEachStepAndGivesTheSame) {
  const UnlikeField plain;
  const DeviceField device;
  const auto keys = chain_keys(Key(8), 0, 20);
  State expected = make_state(first_functions(plain, 20), Matrix(20, 3, 1.0F));
  State found = expected;
  const Parameters parameters = parameters_of({.step_size = 0.3}, 20, 3);
  const Info of_plain = DynamicHmc({}).step(keys, first_functions(plain, 20), parameters, expected);
  const Info of_device = DynamicHmc({}).step(keys, first_functions(device, 20), parameters, found);
  EXPECT_EQ(found.position, expected.position);
  EXPECT_EQ(of_device.gradients, of_plain.gradients);
  EXPECT_EQ(device.batches, std::set<std::int64_t>{20});
}

TEST(DynamicHmc, StateKeepsEnergyAndGradientOfItsPosition) {
  const GumbelField field = skewed_field();
  const Target target = first_functions(field, 100);
  State state = make_state(target, exact_draws(field, 100, Key(9)));
  const auto keys = chain_keys(Key(10), 0, 100);
  for (std::uint64_t t = 0; t < 3; ++t) {
    (void)DynamicHmc({}).step(step_keys(keys, t), target, parameters_of({.step_size = 0.4}, 100, 3), state);
    const State fresh = make_state(target, state.position);
    EXPECT_EQ(state.energy, fresh.energy);
    EXPECT_EQ(state.gradient, fresh.gradient);
  }
}

TEST(DynamicHmc, AHugeStepIsADivergenceNotAnError) {
  const GumbelField field({1.0, 1.0, 1.0});
  const Target target = first_functions(field, 20);
  State state = make_state(target, Matrix(20, 3, 0.5F));
  const Info info =
      DynamicHmc({}).step(chain_keys(Key(7), 0, 20), target, parameters_of({.step_size = 1e6}, 20, 3), state);
  EXPECT_EQ(info.divergent, std::vector<char>(20, 1));
  EXPECT_EQ(info.gradients, std::vector<int>(20, 1));
  EXPECT_EQ(state.position, Matrix(20, 3, 0.5F));
}

TEST(DynamicHmcStatistical, LeavesEveryDensityInvariantUnderEveryMetric) {
  expect_exact(DynamicHmc({.max_steps = 12}), 0.8, 66);
  expect_exact(DynamicHmc({.max_steps = 12, .shortest = 0.5}), 0.8, 67);
  expect_exact(DynamicHmc({.max_steps = 3}), 0.8, 68);  // the cap decides
}

TEST(DynamicHmcStatistical, LeavesAPosteriorOfADecoderInvariant) {
  expect_small_decoder_stays_invariant(DynamicHmc({.max_steps = 12}), 1.0);
}

TEST(DynamicHmcMutantsStatistical, FaultsInItsAcceptStepAreRejected) {
  // In one dimension the way to a U-turn depends most on where it begins.
  const Setting setting{.step_size = 0.5, .transitions = 8};
  const GumbelField field({1.0});
  const auto judge = [&](DynamicFault fault, double shortest) {
    return judge_invariance(DynamicMutant(fault, 12, shortest), field, setting, kReplicates, Key(69));
  };
  EXPECT_FALSE(judge(DynamicFault::none, 0.0).rejected());
  const auto expect_rejected = [&](DynamicFault fault, double shortest) {
    const auto judgement = judge(fault, shortest);
    EXPECT_TRUE(judgement.rejected()) << static_cast<int>(fault) << "\n" << judgement.report();
    EXPECT_GT(judgement.largest_distance(), judgement.smallest_detectable()) << static_cast<int>(fault);
  };
  expect_rejected(DynamicFault::no_ratio, 0.0);
  expect_rejected(DynamicFault::no_indicator, 0.5);  // at 0 the ratio hides most of it
  expect_rejected(DynamicFault::last_state, 0.0);
}

TEST(DynamicHmc, RefusesOptionsThatMakeNoSense) {
  EXPECT_THROW(DynamicHmc({.max_steps = 0}), Misuse);
  EXPECT_THROW(DynamicHmc({.shortest = -0.1}), Misuse);
  EXPECT_THROW(DynamicHmc({.shortest = 1.1}), Misuse);
  EXPECT_THROW(DynamicHmc({.shortest = std::numeric_limits<double>::quiet_NaN()}), Misuse);
}

}  // namespace
}  // namespace vaeguard::mcmc
