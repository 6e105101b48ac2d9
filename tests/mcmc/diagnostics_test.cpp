// Diagnostics against golden values of R's package posterior, closed forms, and the warnings that they lead to.
#include "vaeguard/mcmc/diagnostics.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/mcmc/replicates.h"
#include "vaeguard/base/error.h"
#include "vaeguard/mcmc/hmc.h"

namespace vaeguard::mcmc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

nlohmann::json golden_cases() {
  std::ifstream file(std::string(VAEGUARD_SOURCE_DIR) + "/tests/golden/diagnostics.json");
  return nlohmann::json::parse(file).at("cases");
}

/// Both sides compute in double from the same draws; they differ by the order of sums and the quantile function, 1e-14
/// each, and effective sample sizes are sums of some hundred such terms.
void expect_golden(double found, const nlohmann::json& golden) {
  if (golden.is_null()) {
    EXPECT_TRUE(std::isnan(found)) << found;
  } else {
    EXPECT_NEAR(found / golden.get<double>(), 1.0, 1e-10);
  }
}

TEST(Diagnostics, EqualGoldenValues) {
  int compared = 0;
  for (const auto& golden : golden_cases()) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    const auto chains = golden.at("chains").get<Chains>();
    expect_golden(rank_rhat(chains), golden.at("rhat"));
    expect_golden(bulk_ess(chains), golden.at("bulk_ess"));
    expect_golden(tail_ess(chains), golden.at("tail_ess"));
    expect_golden(mean_ess(chains), golden.at("mean_ess"));
    expect_golden(mcse_mean(chains), golden.at("mcse_mean"));
    ++compared;
  }
  EXPECT_EQ(compared, 12);
}

/// AR(1) chains from their stationary law.
Chains autoregressive(std::size_t chains, std::size_t draws, double correlation) {
  Chains result(chains);
  for (std::size_t c = 0; c < chains; ++c) {
    std::vector<float> noise(draws);
    fill_normal(Key(5).fold(c), noise);
    double value = noise[0] / std::sqrt(1.0 - correlation * correlation);
    for (const float innovation : noise) {
      value = correlation * value + innovation;
      result[c].push_back(value);
    }
  }
  return result;
}

TEST(DiagnosticsStatistical, EffectiveSampleSizeIsThatOfAnAutoregression) {
  // N (1 - r) / (1 + r). The estimate's relative deviation with 32,000 draws is about 3 %; 20 % is seven of them.
  for (const double correlation : {-0.4, 0.0, 0.6, 0.9}) {
    const Chains chains = autoregressive(4, 8000, correlation);
    EXPECT_NEAR(mean_ess(chains) / (32000.0 * (1.0 - correlation) / (1.0 + correlation)), 1.0, 0.2);
    EXPECT_NEAR(rank_rhat(chains), 1.0, 0.01);
  }
}

TEST(Diagnostics, RankDiagnosticsDoNotChangeUnderAMonotoneMap) {
  Chains chains = autoregressive(3, 200, 0.5);
  const double bulk = bulk_ess(chains);
  for (auto& chain : chains) {
    std::ranges::transform(chain, chain.begin(), [](double value) { return std::exp(3.0 * value); });
  }
  EXPECT_EQ(bulk_ess(chains), bulk);
}

TEST(Diagnostics, WhatCannotBeSaidIsNan) {
  const Chains constant(2, std::vector<double>(50, 3.0));
  const Chains few = autoregressive(2, static_cast<std::size_t>(kFewestDraws) - 1, 0.0);
  Chains infinite = autoregressive(2, 50, 0.0);
  infinite[1][7] = std::numeric_limits<double>::infinity();
  Chains undefined = infinite;
  undefined[1][7] = kNan;
  for (const Chains& chains : {constant, few, infinite, undefined}) {
    for (const auto diagnostic : {rank_rhat, bulk_ess, tail_ess, mean_ess, mcse_mean}) {
      EXPECT_TRUE(std::isnan(diagnostic(chains)));
    }
  }
  EXPECT_THROW((void)bulk_ess({}), Misuse);
  EXPECT_THROW((void)rank_rhat({std::vector<double>(20), std::vector<double>(21)}), Misuse);
}

TEST(Diagnostics, EnergyFractionByHand) {
  EXPECT_DOUBLE_EQ(e_bfmi(std::vector{1.0, 2.0, 4.0, 1.0}), 14.0 / 6.0);  // 1 + 4 + 9 over 1 + 0 + 4 + 1
  EXPECT_TRUE(std::isnan(e_bfmi(std::vector{1.0, 2.0})));
  EXPECT_TRUE(std::isnan(e_bfmi(std::vector{2.0, 2.0, 2.0, 2.0})));
}

/// Hmc on a standard normal, and what it recorded.
Diagnostics diagnose_hmc(double step, int draws) {
  const GaussianField field = GaussianField::standard(3);
  const Target target = first_functions(field, 6);
  const Hmc kernel({.leapfrog_steps = 4, .jitter = 0.2});
  State state = make_state(target, exact_draws(field, 6, Key(1)));
  const auto keys = chain_keys(Key(2), 0, 6);
  std::vector<Matrix> positions;
  std::vector<std::vector<double>> total_energy(4);
  double acceptance = 0.0;
  double divergent_share = 0.0;
  for (int t = 0; t < draws; ++t) {
    const Info info = kernel.step(step_keys(keys, static_cast<std::uint64_t>(t)), target,
                                  parameters_of({.step_size = step}, 6, 3), state);
    positions.push_back(state.position);
    for (std::size_t c = 0; c < 4; ++c) {
      total_energy[c].push_back(info.total_energy[c + 2]);
      acceptance += info.acceptance[c + 2] / (4.0 * draws);
      divergent_share += info.divergent[c + 2] / (4.0 * draws);
    }
  }
  Diagnostics diagnostics = diagnose(positions, 2, 4, total_energy);
  diagnostics.acceptance = acceptance;
  diagnostics.divergent_share = divergent_share;
  return diagnostics;
}

TEST(Diagnostics, ChainsOfOneImageAreJudgedByTheirWorstCoordinate) {
  std::vector<Matrix> positions;
  const Chains good = autoregressive(4, 300, 0.0);
  const Chains slow = autoregressive(4, 300, 0.95);
  for (std::size_t t = 0; t < 300; ++t) {
    Matrix position(6, 2, static_cast<float>(t));  // of other images, and never looked at
    for (std::size_t c = 0; c < 4; ++c) {
      position(static_cast<std::int64_t>(c) + 1, 0) = static_cast<float>(good[c][t]);
      position(static_cast<std::int64_t>(c) + 1, 1) = static_cast<float>(slow[c][t]);
    }
    positions.push_back(position);
  }
  const Diagnostics diagnostics = diagnose(positions, 1, 4, {});
  const Summary worst = summarise(coordinate(positions, 1, 4, 1));
  EXPECT_EQ(diagnostics.rhat, worst.rhat);
  EXPECT_EQ(diagnostics.bulk_ess, worst.bulk_ess);
  EXPECT_EQ(diagnostics.tail_ess, worst.tail_ess);
  EXPECT_EQ(diagnostics.relative_mcse, worst.mcse_mean / worst.deviation);
  EXPECT_TRUE(std::isnan(diagnostics.e_bfmi));
  EXPECT_THROW((void)diagnose(positions, 3, 4, {}), Misuse);
  EXPECT_THROW((void)diagnose({}, 0, 1, {}), Misuse);
}

TEST(Diagnostics, AHealthyRunHasNoWarnings) {
  const Diagnostics diagnostics = diagnose_hmc(0.4, 1000);
  EXPECT_THAT(warnings(diagnostics), IsEmpty());
  EXPECT_GT(diagnostics.e_bfmi, 0.6);
}

TEST(Diagnostics, EveryFaultHasItsSentence) {
  const Diagnostics healthy = diagnose_hmc(0.4, 1000);
  const auto only = [&](auto change) {
    Diagnostics diagnostics = healthy;
    change(diagnostics);
    return warnings(diagnostics);
  };
  EXPECT_THAT(only([](Diagnostics& d) { d.rhat = 1.02; }), ElementsAre(HasSubstr("warm up longer")));
  EXPECT_THAT(only([](Diagnostics& d) { d.bulk_ess = 399.0; }), ElementsAre(HasSubstr("smallest bulk ESS 399")));
  EXPECT_THAT(only([](Diagnostics& d) { d.tail_ess = 30.0; }), ElementsAre(HasSubstr("smallest tail ESS 30")));
  EXPECT_THAT(only([](Diagnostics& d) { d.e_bfmi = 0.2; }), ElementsAre(HasSubstr("metric")));
  EXPECT_THAT(only([](Diagnostics& d) { d.divergent_share = 0.01; }), ElementsAre(HasSubstr("1 % of the transitions")));
  EXPECT_THAT(only([](Diagnostics& d) { d.acceptance = 0.1; }), ElementsAre(HasSubstr("lower the step size")));
  EXPECT_THAT(only([](Diagnostics& d) { d.exact = false; }), ElementsAre(HasSubstr("biased")));
  EXPECT_THAT(only([](Diagnostics& d) { d.rhat = kNan; }), ElementsAre(HasSubstr("never moved")));
}

TEST(Diagnostics, WarningsBeginBeyondTheLimitsThatTheyName) {
  Diagnostics at_the_limits = diagnose_hmc(0.4, 1000);
  at_the_limits.rhat = kGreatestRhat;
  at_the_limits.bulk_ess = at_the_limits.tail_ess = static_cast<double>(kFewestEffectiveDraws * at_the_limits.chains);
  at_the_limits.e_bfmi = kLeastEBfmi;
  at_the_limits.acceptance = kLeastAcceptance;
  EXPECT_THAT(warnings(at_the_limits), IsEmpty());
  Diagnostics beyond = at_the_limits;
  beyond.rhat += 0.001;
  beyond.e_bfmi -= 0.01;
  EXPECT_THAT(warnings(beyond), ElementsAre(HasSubstr(fmt::format("should be below {}", kGreatestRhat)),
                                            HasSubstr(fmt::format("should be above {}", kLeastEBfmi))));
}

TEST(Diagnostics, AShortRunIsToldSo) {
  EXPECT_THAT(warnings(diagnose_hmc(0.4, 8)), ElementsAre(HasSubstr("8 draws per chain are too few")));
}

}  // namespace
}  // namespace vaeguard::mcmc
