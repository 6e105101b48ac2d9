// What every kernel that can be chosen by name promises: its law, its independence, its keys, its cost, its options.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/expect_misuse.h"
#include "tests/mcmc/checks.h"
#include "tests/mcmc/replicates.h"
#include "vaeguard/mcmc/integrator.h"
#include "vaeguard/mcmc/registry.h"

namespace vaeguard::mcmc {
namespace {

/// Trajectories of at most three steps, where the kernel has some.
AnyKernel short_kernel(const KernelEntry& entry) {
  KernelOptions options;
  if (why_unread(entry, "leapfrog_steps").empty()) {
    options.leapfrog_steps = 3;
  }
  return make_kernel(entry.name, options);
}

/// Long enough for rejections, for one step as for three.
constexpr double kStep = 0.7;

TEST(KernelContractStatistical, ExactKernelsLeaveANormalInvariantAndTheOthersSayThatTheyDoNot) {
  // Unadjusted Langevin's variances are 1 / (1 - e^2 m / (4 s^2)) times too large, which is 1.25 at least.
  const GaussianField field = GaussianField::scaled({0.5, 1.0, 2.0});
  const Setting setting{.step_size = 0.9, .inverse_mass = {0.3F, 1.0F, 4.0F}, .transitions = 8};
  for (const KernelEntry& entry : kernels()) {
    SCOPED_TRACE(entry.name);
    const AnyKernel kernel = short_kernel(entry);
    const auto judgement = judge_invariance(kernel, field, setting, kReplicates, Key(31));
    if (kernel.exact) {
      statistics::expect_holds(judgement, 0.05);
    } else {
      EXPECT_TRUE(judgement.rejected()) << judgement.report();
    }
  }
}

TEST(KernelContract, AChainIsBitwiseTheSameInAnyBatchAndOnAnyThread) {
  const GumbelField field = skewed_field();
  const Matrix start = exact_draws(field, 60, Key(1));
  const Setting setting{.step_size = kStep, .transitions = 4};
  for (const KernelEntry& entry : kernels()) {
    SCOPED_TRACE(entry.name);
    const AnyKernel kernel = short_kernel(entry);
    const Outcome all = advance(kernel, field, start, setting, Key(2), 60);
    for (const std::int64_t batch : {1, 7}) {
      const Outcome parts = advance(kernel, field, start, setting, Key(2), batch);
      EXPECT_EQ(all.positions, parts.positions);
      EXPECT_EQ(all.energies, parts.energies);
    }
  }
}

/// One transition of 40 chains.
struct Stepped {
  State state;
  Info info;
};
Stepped step_once(const AnyKernel& kernel, const ToyField& field, const std::vector<Key>& keys,
                  double step_size = kStep) {
  const auto chains = std::ssize(keys);
  const Target target = first_functions(field, chains);
  Stepped result{make_state(target, exact_draws(field, chains, Key(3))), {}};
  field.evaluations = 0;
  result.info =
      kernel.step(keys, target, parameters_of({.step_size = step_size}, chains, field.dimension()), result.state);
  return result;
}

TEST(KernelContract, AChainDependsOnItsOwnKeyAndOnNoOther) {
  const GumbelField field = skewed_field();
  const auto keys = chain_keys(Key(4), 0, 40);
  auto one_other = keys;
  one_other[17] = Key(5);
  for (const KernelEntry& entry : kernels()) {
    SCOPED_TRACE(entry.name);
    const AnyKernel kernel = short_kernel(entry);
    const Matrix first = step_once(kernel, field, keys).state.position;
    EXPECT_EQ(step_once(kernel, field, keys).state.position, first);
    const Matrix other = step_once(kernel, field, one_other).state.position;
    for (std::int64_t b = 0; b < 40; ++b) {
      EXPECT_EQ(other.slice(b, 1) == first.slice(b, 1), b != 17) << b;
    }
  }
}

TEST(KernelContract, CountsTheGradientsThatItSpends) {
  const GumbelField field = skewed_field();
  for (const KernelEntry& entry : kernels()) {
    SCOPED_TRACE(entry.name);
    const AnyKernel kernel = short_kernel(entry);
    const auto spent = step_once(kernel, field, chain_keys(Key(4), 0, 40)).info.gradients;
    EXPECT_EQ(std::accumulate(spent.begin(), spent.end(), 0), field.evaluations);
    EXPECT_THAT(spent, testing::Each(testing::AllOf(testing::Ge(1), testing::Le(kernel.gradients_per_step()))));
  }
}

TEST(KernelContract, StateKeepsEnergyAndGradientOfItsPosition) {
  const GumbelField field = skewed_field();
  for (const KernelEntry& entry : kernels()) {
    SCOPED_TRACE(entry.name);
    const State after = step_once(short_kernel(entry), field, chain_keys(Key(4), 0, 40)).state;
    const State fresh = make_state(first_functions(field, 40), after.position);
    EXPECT_EQ(after.energy, fresh.energy);
    EXPECT_EQ(after.gradient, fresh.gradient);
  }
}

TEST(KernelContract, AnOptionIsReadOrRefusedByName) {
  const GumbelField field = skewed_field();
  const auto keys = chain_keys(Key(4), 0, 40);
  const std::pair<std::string_view, KernelOptions> changes[] = {{"leapfrog_steps", {.leapfrog_steps = 99}},
                                                                {"jitter", {.jitter = 0.5}},
                                                                {"persistence", {.persistence = 0.3}},
                                                                {"shortest", {.shortest = 0.75}}};
  for (const KernelEntry& entry : kernels()) {
    for (const std::string_view key : entry.reads) {
      EXPECT_TRUE(std::ranges::find(changes, key, [](const auto& change) { return change.first; }) != std::end(changes))
          << entry.name << " reads " << key << ", which this test does not know";
    }
    for (const auto& [key, options] : changes) {
      SCOPED_TRACE(fmt::format("{}, {}", entry.name, key));
      if (!why_unread(entry, key).empty()) {
        expect_misuse([&] { (void)make_kernel(entry.name, options); },
                      {std::string(entry.name), "has no option " + std::string(key)});
        continue;
      }
      // What is read matters: within a second transition at the latest, when there is a momentum to keep.
      const auto twice = [&](const KernelOptions& with) {
        const AnyKernel kernel = make_kernel(entry.name, with);
        Stepped stepped = step_once(kernel, field, keys, 0.3);
        (void)kernel.step(step_keys(keys, 1), first_functions(field, 40), parameters_of({.step_size = 0.3}, 40, 3),
                          stepped.state);
        return stepped.state.position;
      };
      EXPECT_NE(twice(options), twice({}));
    }
  }
  expect_misuse([] { (void)make_kernel("hcm"); }, {"hcm", "hmc"});
  expect_misuse([] { (void)make_kernel("hmc", {.leapfrog_steps = 0}); }, {"leapfrog_steps must be at least 1, got 0"});
  expect_misuse([] { (void)make_kernel("dynamic", {.shortest = 1.5}); }, {"shortest must be in [0, 1], got 1.5"});
}

TEST(KernelContract, ADivergenceTellsWhereItBeganAndEndedSoThatItCanBeRunAgain) {
  const GumbelField field = skewed_field();
  const auto keys = chain_keys(Key(4), 0, 40);
  const Matrix start = exact_draws(field, 40, Key(3));
  for (const KernelEntry& entry : kernels()) {
    SCOPED_TRACE(entry.name);
    EXPECT_TRUE(step_once(short_kernel(entry), field, keys, 0.05).info.divergences.empty());
    const Info info = step_once(short_kernel(entry), field, keys, 3.5).info;
    const auto flags = std::accumulate(info.divergent.begin(), info.divergent.end(), std::int64_t{0});
    ASSERT_EQ(std::ssize(info.divergences), flags);
    EXPECT_GT(flags, 3);
    for (const Divergence& divergence : info.divergences) {
      const auto b = static_cast<std::size_t>(divergence.chain);
      EXPECT_NE(info.divergent[b], 0);
      EXPECT_TRUE(std::ranges::equal(divergence.position, start.row(divergence.chain)));
      EXPECT_TRUE(!(divergence.energy_error <= kDivergence));
      const Target target{field, {divergence.chain}};
      State state = make_state(target, Matrix(1, 3, divergence.position));
      Matrix momentum(1, 3, divergence.momentum);
      const Metric metric = identity_metric(1, 3);
      const double before = state.energy[0] + kinetic_energy(metric, momentum)[0];
      leapfrog(target, metric, std::vector{divergence.step_size}, info.turn.empty() ? info.gradients[b] : info.turn[b],
               state, momentum);
      const double error = state.energy[0] + kinetic_energy(metric, momentum)[0] - before;
      EXPECT_TRUE(error == divergence.energy_error || (std::isnan(error) && std::isnan(divergence.energy_error)));
      EXPECT_THAT(divergence.end, testing::Pointwise(testing::NanSensitiveFloatEq(), state.position.row(0)));
    }
  }
}

}  // namespace
}  // namespace vaeguard::mcmc
