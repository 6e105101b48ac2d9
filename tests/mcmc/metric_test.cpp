// Momentum draws have the law that the kinetic energy says.
#include "vaeguard/mcmc/metric.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/mcmc/replicates.h"
#include "tests/mcmc/statistics.h"

namespace vaeguard::mcmc {
namespace {

TEST(Metric, KineticEnergyByHand) {
  const Metric metric{Matrix(2, 2, {1.0F, 1.0F, 4.0F, 0.5F})};
  const Matrix momentum(2, 2, {3.0F, -4.0F, 1.0F, 2.0F});
  EXPECT_EQ(kinetic_energy(metric, momentum), (std::vector{12.5, 3.0}));
}

TEST(Metric, KineticEnergyIsPositiveWhateverTheSign) {
  const Metric metric = identity_metric(1, 3);
  EXPECT_EQ(kinetic_energy(metric, Matrix(1, 3, -2.0F)), (std::vector{6.0}));
  EXPECT_EQ(kinetic_energy(metric, Matrix(1, 3, 0.0F)), (std::vector{0.0}));
}

TEST(Metric, IdentityHasOnes) { EXPECT_EQ(identity_metric(2, 3).inverse_mass, Matrix(2, 3, 1.0F)); }

TEST(Metric, ARowsMomentumDependsOnItsKeyAlone) {
  const auto keys = chain_keys(Key(1), 0, 9);
  const auto draw = [](std::span<const Key> some) {
    Matrix momentum;
    draw_momentum(identity_metric(static_cast<std::int64_t>(some.size()), 5), some, momentum);
    return momentum;
  };
  const Matrix all = draw(keys);
  EXPECT_EQ(draw(std::span(keys).subspan(4, 2)), all.slice(4, 2));
  EXPECT_NE(all.slice(0, 1), all.slice(1, 1));
}

TEST(MetricStatistical, MomentumHasTheMassAsItsVariance) {
  constexpr std::int64_t kDraws = 20000;
  const Metric metric = parameters_of({.inverse_mass = {0.25F, 1.0F, 9.0F, 2.0F}}, kDraws, 4).metric;
  Matrix momentum;
  draw_momentum(metric, chain_keys(Key(2), 0, kDraws), momentum);
  const double deviations[] = {2.0, 1.0, 1.0 / 3.0, std::sqrt(0.5)};
  statistics::Judgement judgement;
  for (std::int64_t d = 0; d < 4; ++d) {
    std::vector<double> uniforms;
    for (std::int64_t b = 0; b < kDraws; ++b) {
      uniforms.push_back(statistics::normal_cdf(momentum(b, d) / deviations[d]));
    }
    judgement.add_uniform("coordinate " + std::to_string(d), std::move(uniforms));
  }
  std::vector<double> energies;  // 2 K is a sum of four squares of standard normals
  for (const double kinetic : kinetic_energy(metric, momentum)) {
    energies.push_back(statistics::chi_squared_cdf(2.0 * kinetic, 4));
  }
  judgement.add_uniform("kinetic energy", std::move(energies));
  statistics::expect_holds(judgement, 0.05);
}

}  // namespace
}  // namespace vaeguard::mcmc
