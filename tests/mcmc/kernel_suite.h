// The invariance that every exact kernel must show, on every density and metric that the tests have.
#pragma once

#include <string>
#include <vector>

#include "tests/mcmc/checks.h"
#include "tests/mcmc/replicates.h"
#include "tests/mcmc/toy_fields.h"

namespace vaeguard::mcmc {

/// Judges one kernel with its step size as a multiple of the setting's own, which suits trajectories of a few steps.
/// Each judgement fails by bad luck once in 1e9 and sees a KS distance of 0.05.
template <Kernel K>
void expect_exact(const K& kernel, double scale, std::uint64_t seed) {
  const auto judge = [&](const std::string& name, const ToyField& field, Setting setting) {
    SCOPED_TRACE(name);
    setting.step_size *= scale;
    const Outcome outcome =
        advance(kernel, field, exact_draws(field, 2000, Key(seed)), setting, Key(seed).fold("pilot"));
    EXPECT_GT(outcome.mean_acceptance, 0.3);
    EXPECT_LT(outcome.mean_acceptance, 0.99);  // rejections are exercised
    statistics::expect_holds(judge_invariance(kernel, field, setting, kReplicates, Key(seed).fold(name)), 0.05);
  };
  judge("correlated, identity", GaussianField::correlated(), {.step_size = 0.75});
  judge("anisotropic, metric", GaussianField::scaled({0.1, 1.0, 20.0}),
        {.step_size = 1.2, .inverse_mass = {0.02F, 0.7F, 500.0F}});
  judge("skewed, metric", skewed_field(), skewed_setting());
  judge("cut, identity", CutField(0.4, std::numeric_limits<double>::quiet_NaN()), {.step_size = 0.8});
}

}  // namespace vaeguard::mcmc
