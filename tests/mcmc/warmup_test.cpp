// Warm-up ends before a draw counts: its parameters freeze, and only what it returns can be sampled from.
#include "vaeguard/mcmc/warmup.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <type_traits>
#include <vector>

#include "tests/mcmc/replicates.h"
#include "tests/mcmc/toy_fields.h"
#include "vaeguard/base/error.h"
#include "vaeguard/mcmc/hmc.h"

namespace vaeguard::mcmc {
namespace {

constexpr auto kIgnore = [](int, const State&, const Info&) {};
using Ignore = decltype(kIgnore);

// sample() as a function object, so that types can be asked whether it takes them.
constexpr auto kSample =
    [](auto&&... arguments) -> decltype(mcmc::sample(std::forward<decltype(arguments)>(arguments)...)) {
  return mcmc::sample(std::forward<decltype(arguments)>(arguments)...);
};
template <typename Start>
constexpr bool kCanSampleFrom =
    std::is_invocable_v<decltype(kSample), const Hmc&, std::span<const Key>, const Target&, Start, int, Ignore>;

static_assert(kCanSampleFrom<Tuned>);
static_assert(!kCanSampleFrom<State>, "a state of an adapting chain must not give draws");
static_assert(!kCanSampleFrom<Parameters>);
static_assert(!std::is_convertible_v<State, Tuned>);
static_assert(
    std::is_same_v<decltype(warm_up(std::declval<const Hmc&>(), std::span<const Key>{}, std::declval<const Target&>(),
                                    Metric{}, State{}, WarmupOptions{}, kIgnore)),
                   Tuned>);

/// Does nothing but write down the step sizes and keys that it is called with; accepts with a given probability.
struct Spy {
  static constexpr bool exact = true;
  double acceptance = 1.0;
  std::vector<std::vector<double>>* step_sizes;
  std::vector<std::uint64_t>* first_keys;

  [[nodiscard]] int gradients_per_step() const { return 0; }
  Info step(std::span<const Key> keys, const Target& /*target*/, const Parameters& parameters, State& state) const {
    step_sizes->push_back(parameters.step_size);
    first_keys->push_back(keys[0].value());
    const auto n = static_cast<std::size_t>(state.chains());
    return {std::vector<double>(n, acceptance), std::vector<char>(n, 1), std::vector<char>(n, 0),
            std::vector<double>(n)};
  }
};
static_assert(Kernel<Spy>);

struct Fixture {
  GaussianField field = GaussianField::standard(2);
  Target target = first_functions(field, 3);
  std::vector<Key> keys = chain_keys(Key(1), 0, 3);
  std::vector<std::vector<double>> step_sizes;
  std::vector<std::uint64_t> first_keys;
  Spy spy{1.0, &step_sizes, &first_keys};

  Tuned tune(int transitions) {
    return warm_up(spy, keys, target, identity_metric(3, 2), make_state(target, Matrix(3, 2)),
                   {.transitions = transitions, .step_size = {.initial_step_size = 0.1}}, kIgnore);
  }
};

TEST(Warmup, ExploresWithDualAveragingAndReturnsItsAverage) {
  Fixture fixture;
  const Tuned tuned = fixture.tune(6);
  DualAveraging rule({.initial_step_size = 0.1});
  ASSERT_EQ(fixture.step_sizes.size(), 6U);
  for (const auto& used : fixture.step_sizes) {
    EXPECT_NEAR(used[0], rule.exploring(), 1e-12);
    EXPECT_EQ(used, std::vector<double>(3, used[0]));
    rule.update(1.0);
  }
  EXPECT_EQ(tuned.parameters.step_size, std::vector<double>(3, rule.final()));
}

TEST(Warmup, SamplingNeverMovesTheStepSize) {
  Fixture fixture;
  Tuned tuned = fixture.tune(6);
  const std::vector<double> frozen = tuned.parameters.step_size;
  fixture.step_sizes.clear();
  (void)sample(fixture.spy, fixture.keys, fixture.target, std::move(tuned), 10, kIgnore);
  EXPECT_EQ(fixture.step_sizes, std::vector<std::vector<double>>(10, frozen));
}

TEST(Warmup, EachTransitionHasItsOwnKeyWhichIsTheChainsFold) {
  Fixture fixture;
  (void)fixture.tune(4);
  for (std::uint64_t t = 0; t < 4; ++t) {
    EXPECT_EQ(fixture.first_keys[t], fixture.keys[0].fold(t).value());
  }
}

TEST(Warmup, VisitsEveryTransitionInOrder) {
  Fixture fixture;
  std::vector<int> visited;
  const auto note = [&](int t, const State&, const Info&) { visited.push_back(t); };
  Tuned tuned = warm_up(fixture.spy, fixture.keys, fixture.target, identity_metric(3, 2),
                        make_state(fixture.target, Matrix(3, 2)), {.transitions = 3, .step_size = {}}, note);
  (void)sample(fixture.spy, fixture.keys, fixture.target, std::move(tuned), 2, note);
  EXPECT_EQ(visited, (std::vector{0, 1, 2, 0, 1}));
}

TEST(Warmup, NoTransitionsKeepTheInitialStep) {
  Fixture fixture;
  EXPECT_NEAR(fixture.tune(0).parameters.step_size[0], 0.1, 1e-15);
}

TEST(Warmup, PublishedLoopNeverStopsAdapting) {
  Fixture fixture;
  std::vector<double> seen;
  (void)sample_published(fixture.spy, fixture.keys, fixture.target, parameters_of({.step_size = 0.1}, 3, 2),
                         make_state(fixture.target, Matrix(3, 2)), 5, 0.9,
                         [&](int, const State&, const Info&, const Parameters& p) { seen.push_back(p.step_size[1]); });
  double expected = 0.1;
  for (const double step : seen) {
    expected = published_step_size(expected, 1.0, 0.9);
    EXPECT_DOUBLE_EQ(step, expected);
  }
  EXPECT_EQ(fixture.step_sizes.back()[0], seen[3]);
}

TEST(WarmupOfHmc, AChainsStepSizeDoesNotDependOnItsNeighbours) {
  const GaussianField field = GaussianField::correlated();
  const Hmc kernel({.leapfrog_steps = 5});
  const auto keys = chain_keys(Key(2), 0, 8);
  const Matrix start = exact_draws(field, 8, Key(3));
  const auto tune = [&](std::int64_t first, std::int64_t count) {
    const Target target{field, consecutive(first, count)};
    return warm_up(kernel, std::span(keys).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
                   target, identity_metric(count, 3), make_state(target, start.slice(first, count)),
                   {.transitions = 30, .step_size = {}}, kIgnore);
  };
  const Tuned all = tune(0, 8);
  const Tuned some = tune(5, 2);
  EXPECT_EQ(some.parameters.step_size[0], all.parameters.step_size[5]);
  EXPECT_EQ(some.parameters.step_size[1], all.parameters.step_size[6]);
  EXPECT_EQ(some.state.position, all.state.position.slice(5, 2));
  EXPECT_NE(all.parameters.step_size[5], all.parameters.step_size[6]);
}

TEST(WarmupOfHmcStatistical, ReachesItsTargetAcceptanceOnAGaussian) {
  constexpr std::int64_t kChains = 64;
  constexpr int kWarmup = 1500;
  constexpr int kDraws = 200;
  constexpr double kTarget = 0.85;
  const GaussianField field = GaussianField::standard(20);
  const Target target = first_functions(field, kChains);
  const Hmc kernel({.leapfrog_steps = 6, .jitter = 0.2});
  double sum = 0.0;
  const auto add = [&](int, const State&, const Info& info) {
    sum = std::accumulate(info.acceptance.begin(), info.acceptance.end(), sum);
  };
  Tuned tuned = warm_up(kernel, chain_keys(Key(4), 0, kChains), target, identity_metric(kChains, 20),
                        make_state(target, exact_draws(field, kChains, Key(5))),
                        {.transitions = kWarmup, .step_size = {.target = kTarget}}, add);
  // Dual averaging sets log step = mu - sqrt(t) / gamma * mean error. As log step stays within 4 of mu = 0 here, the
  // mean error after 1500 transitions is below 0.05 * 4 / sqrt(1500) = 0.006, for every chain and without any luck.
  EXPECT_NEAR(sum / (kChains * kWarmup), kTarget, 0.006);
  sum = 0.0;
  (void)sample(kernel, chain_keys(Key(6), 0, kChains), target, std::move(tuned), kDraws, add);
  // The frozen step is an average, so its acceptance lies near the target but not on it: log steps still wander by
  // 1 / (gamma sqrt(t)) * 0.2 = 0.1 each transition, which moves acceptance by 0.03 at most. Luck: a chain's mean over
  // 200 transitions deviates by less than 0.05, the mean of 64 chains by 0.006; 6.1 deviations (1e-9) make 0.04.
  EXPECT_NEAR(sum / (kChains * kDraws), kTarget, 0.07);
}

WarmupOptions everything(std::int64_t group) {
  return {.transitions = 12,
          .step_size = {.initial_step_size = 0.01, .target = 0.7, .aim = 1.0},
          .first_step_trials = 8,
          .learn_metric = true,
          .group = group};
}

TEST(WarmupOfEverything, AnImagesResultDoesNotDependOnOtherImages) {
  const GaussianField field = GaussianField::correlated();
  const Hmc kernel({.leapfrog_steps = 4, .jitter = 0.1});
  const auto keys = chain_keys(Key(7), 0, 9);
  const Matrix start = exact_draws(field, 9, Key(8));
  const auto tune = [&](std::int64_t first, std::int64_t count) {
    const auto own = std::span(keys).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    const Target target{field, consecutive(first, count)};
    Tuned tuned = warm_up(kernel, own, target, identity_metric(count, 3), make_state(target, start.slice(first, count)),
                          everything(3), kIgnore);
    return learn_lengths(own, target, std::move(tuned), {.group = 3}, kIgnore);
  };
  const Tuned all = tune(0, 9);
  const Tuned middle = tune(3, 3);
  EXPECT_EQ(middle.state.position, all.state.position.slice(3, 3));
  EXPECT_EQ(middle.parameters.metric.inverse_mass, all.parameters.metric.inverse_mass.slice(3, 3));
  for (std::size_t b = 0; b < 3; ++b) {
    EXPECT_EQ(middle.parameters.step_size[b], all.parameters.step_size[b + 3]);
    EXPECT_EQ(middle.parameters.leapfrog_steps[b], all.parameters.leapfrog_steps[b + 3]);
    EXPECT_EQ(middle.gradients[b], all.gradients[b + 3]);
  }
  EXPECT_NE(all.parameters.metric.inverse_mass(0, 0), all.parameters.metric.inverse_mass(3, 0));
}

TEST(WarmupOfEverything, CountsEveryGradientThatItSpends) {
  const GaussianField field = GaussianField::correlated();
  const Target target = first_functions(field, 4);
  const auto keys = chain_keys(Key(7), 0, 4);
  State state = make_state(target, exact_draws(field, 4, Key(8)));
  field.evaluations = 0;
  Tuned tuned = warm_up(Hmc({.leapfrog_steps = 4}), keys, target, identity_metric(4, 3), std::move(state),
                        everything(2), kIgnore);
  tuned = learn_lengths(keys, target, std::move(tuned), {.transitions = 2}, kIgnore);
  EXPECT_EQ(std::accumulate(tuned.gradients.begin(), tuned.gradients.end(), std::int64_t{0}), field.evaluations);
}

TEST(WarmupOfEverything, TwelveTransitionsFitAMetricOverFourOrdersOfMagnitude) {
  const GaussianField field = GaussianField::scaled({0.1, 1.0, 20.0});
  const Target target = first_functions(field, 40);
  const Hmc kernel({.leapfrog_steps = 5, .jitter = 0.2});
  const auto keys = chain_keys(Key(9), 0, 40);
  WarmupOptions options = everything(5);
  options.transitions = 16;
  Tuned tuned = warm_up(kernel, keys, target, identity_metric(40, 3),
                        make_state(target, exact_draws(field, 40, Key(10))), options, kIgnore);
  // 20 states a group weigh 20/22: of the logarithms' spread of 10.6 between the widest and the narrowest, 9.6 is
  // found.
  for (std::int64_t b = 0; b < 40; ++b) {
    const Matrix& inverse_mass = tuned.parameters.metric.inverse_mass;
    EXPECT_NEAR(std::log(inverse_mass(b, 2) / inverse_mass(b, 0)), 20.0 / 22.0 * std::log(40000.0), 0.1);
  }
  double sum = 0.0;
  (void)sample(kernel, chain_keys(Key(11), 0, 40), target, std::move(tuned), 50,
               [&](int, const State&, const Info& info) {
                 sum = std::accumulate(info.acceptance.begin(), info.acceptance.end(), sum);
               });
  EXPECT_GT(sum / 2000.0, 0.45);
  EXPECT_LT(sum / 2000.0, 0.95);
}

TEST(Lengths, AreAFractionOfTheGroupsMeanTime) {
  const std::vector<std::vector<int>> turns{{10, 12, 3, 3}, {10, 8, 3, 3}};
  const std::vector<double> steps{0.1, 0.1, 0.5, 1.0};
  EXPECT_EQ(lengths(turns, steps, {.group = 1}), (std::vector{5, 5, 2, 2}));
  // Means of time: 1 for the first two, (1.5 + 3) / 2 = 2.25 for the others.
  EXPECT_EQ(lengths(turns, steps, {.fraction = 1.0, .group = 2}), (std::vector{10, 10, 5, 2}));
  EXPECT_EQ(lengths(turns, steps, {.fraction = 1.0, .max_steps = 4, .group = 4}), (std::vector{4, 4, 3, 2}));
  EXPECT_THROW((void)lengths(turns, steps, {.group = 3}), Misuse);
  EXPECT_THROW((void)lengths(turns, steps, {.fraction = 0.0}), Misuse);
  EXPECT_THROW((void)lengths({}, steps, {}), Misuse);
}

TEST(WarmupOfEverythingStatistical, ThenFrozenDrawsGiveTheDensity) {
  // Each chain is an image of its own with metric, step size and length of its own; independent keys for the draws.
  constexpr std::int64_t kChains = 20000;
  const GumbelField field({0.8, 1.0, 2.0});
  const Hmc kernel({.leapfrog_steps = 5, .jitter = 0.2});
  Matrix positions(kChains, 3);
  parallel_chunks(kChains, 64, 2, [&](std::int64_t first, std::int64_t count) {
    const Target target{field, consecutive(first, count)};
    const auto keys = chain_keys(Key(12), first, count);
    Tuned tuned = warm_up(kernel, keys, target, identity_metric(count, 3), make_state(target, Matrix(count, 3, -3.0F)),
                          everything(1), kIgnore);
    tuned = learn_lengths(keys, target, std::move(tuned), {.max_steps = 12}, kIgnore);
    const State last = sample(kernel, chain_keys(Key(13), first, count), target, std::move(tuned), 30, kIgnore);
    positions.assign(first, last.position);
  });
  statistics::expect_holds(judge_draws(field, positions), 0.05);
}

}  // namespace
}  // namespace vaeguard::mcmc
