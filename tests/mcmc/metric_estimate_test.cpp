// Metric estimates: exact on independent normals, regularised, and blind to other images.
#include "vaeguard/mcmc/metric_estimate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/mcmc/replicates.h"
#include "vaeguard/base/error.h"

namespace vaeguard::mcmc {
namespace {

/// `states` draws of each of `chains` chains, far from the mode by `shift`.
MetricEstimate estimate_from(const ToyField& field, Metric start, std::int64_t group, int states, float shift) {
  const std::int64_t chains = start.inverse_mass.rows();
  MetricEstimate estimate(std::move(start), group);
  for (int t = 0; t < states; ++t) {
    Matrix draws = exact_draws(field, chains, Key(1).fold(static_cast<std::uint64_t>(t)));
    for (float& value : draws.flat()) {
      value += shift;
    }
    estimate.add(make_state(first_functions(field, draws.rows()), draws));
  }
  return estimate;
}

TEST(MetricEstimate, TendsToTheVariancesOfANormalWhereverItsStatesLie) {
  const GaussianField field = GaussianField::scaled({0.1, 1.0, 20.0});
  const Metric start{Matrix(1, 3, 3.0F)};
  for (const float shift : {0.0F, 40.0F}) {
    for (const int states : {2, 20}) {
      const Metric metric = estimate_from(field, start, 1, states, shift).estimate();
      const double weight = states / (states + 2.0);  // in logarithms, exactly
      for (const auto& [d, variance] : {std::pair{0, 0.01}, {1, 1.0}, {2, 400.0}}) {
        const double expected = 3.0 * std::pow(variance / 3.0, weight);
        EXPECT_NEAR(metric.inverse_mass(0, d) / expected, 1.0, 1e-3);  // float positions and gradients
      }
    }
  }
}

TEST(MetricEstimate, PoolsAGroupAndNeverAnother) {
  const GaussianField field = GaussianField::correlated();
  MetricEstimate together(identity_metric(6, 3), 3);
  MetricEstimate alone(identity_metric(3, 3), 3);
  for (std::uint64_t t = 0; t < 4; ++t) {
    const Matrix draws = exact_draws(field, 6, Key(2).fold(t));
    together.add(make_state(first_functions(field, draws.rows()), draws));
    alone.add(make_state(first_functions(field, 3), draws.slice(3, 3)));
  }
  const Matrix all = together.estimate().inverse_mass;
  EXPECT_EQ(all.slice(3, 3), alone.estimate().inverse_mass);
  EXPECT_EQ(all.slice(3, 1), all.slice(4, 1));
  EXPECT_NE(all.slice(0, 1), all.slice(3, 1));
}

TEST(MetricEstimate, KeepsItsStartWhereNothingMoved) {
  const GaussianField field = GaussianField::standard(2);
  const Metric start{Matrix(1, 2, std::vector<float>{0.3F, 4.0F})};
  EXPECT_EQ(MetricEstimate(start, 1).estimate().inverse_mass, start.inverse_mass);
  MetricEstimate still(start, 1);
  for (int t = 0; t < 5; ++t) {
    still.add(make_state(first_functions(field, 1), Matrix(1, 2, 0.7F)));
  }
  EXPECT_EQ(still.estimate().inverse_mass, start.inverse_mass);
}

TEST(MetricEstimate, RefusesGroupsThatDoNotDivideTheChains) {
  EXPECT_THROW(MetricEstimate(identity_metric(6, 2), 4), Misuse);
  EXPECT_THROW(MetricEstimate(identity_metric(6, 2), 0), Misuse);
}

}  // namespace
}  // namespace vaeguard::mcmc
