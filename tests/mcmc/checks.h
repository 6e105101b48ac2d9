// The statistical tests that HMC must pass and its mutants must fail.
#pragma once

#include <array>
#include <cmath>
#include <tuple>
#include <vector>

#include "tests/mcmc/replicates.h"
#include "tests/mcmc/toy_fields.h"
#include "vaeguard/mcmc/warmup.h"

namespace vaeguard::mcmc {

/// At 1e-9 a coordinate's KS distance stays below 0.025 with so many replicates; 0.035 is seen all but surely.
constexpr std::int64_t kReplicates = 20000;

constexpr double kSkewedStep = 0.9;
constexpr int kSkewedSteps = 5;
inline GumbelField skewed_field() { return GumbelField({0.5, 1.0, 2.0}); }
/// Long steps under an uneven metric on a skewed, anisotropic density: every fault in the energy shows.
inline Setting skewed_setting() {
  return {.step_size = kSkewedStep, .inverse_mass = {0.3F, 1.0F, 5.0F}, .transitions = 8};
}

/// What is known of HMC on a standard normal in two dimensions.
struct GaussianChecks {
  double acceptance;
  double expected_acceptance;
  statistics::Judgement jumps;  // their lengths, against the linear map of leapfrog run in double
};

/// One leapfrog step on U = z^2 / 2 maps (z, p) by [[1 - e^2/2, e], [-e (1 - e^2/4), 1 - e^2/2]]; S is its power. The
/// energy error is v'(S'S - I)v / 2 with eigenvalues m - 1 and 1/m - 1, m the larger eigenvalue of S'S. A reversible
/// map accepts with 2 P(error < 0) on average; in two dimensions that is the odds of two exponentials: 2 / (1 + m).
inline std::array<double, 4> leapfrog_map(double step, int steps) {
  const double a = 1.0 - 0.5 * step * step;
  const double c = -step * (1.0 - 0.25 * step * step);
  std::array<double, 4> power{1.0, 0.0, 0.0, 1.0};
  for (int l = 0; l < steps; ++l) {
    power = {a * power[0] + step * power[2], a * power[1] + step * power[3], c * power[0] + a * power[2],
             c * power[1] + a * power[3]};
  }
  return power;
}

template <Kernel K>
GaussianChecks check_gaussian(const K& kernel, double step, int steps) {
  const GaussianField field = GaussianField::standard(2);
  const Matrix start = exact_draws(field, kReplicates, Key(100));
  const Outcome outcome = advance(kernel, field, start, {.step_size = step, .transitions = 1}, Key(101));
  const auto map = leapfrog_map(step, steps);
  const double trace = map[0] * map[0] + map[1] * map[1] + map[2] * map[2] + map[3] * map[3];  // of S'S, determinant 1
  const double larger = 0.5 * trace + std::sqrt(0.25 * trace * trace - 1.0);
  GaussianChecks checks{outcome.mean_acceptance, 2.0 / (1.0 + larger), {}};
  std::vector<double> actual;
  std::vector<double> expected;
  for (std::int64_t b = 0; b < kReplicates; ++b) {
    actual.push_back(std::hypot(outcome.positions(b, 0) - start(b, 0), outcome.positions(b, 1) - start(b, 1)));
    std::array<float, 4> drawn{};
    const Key key = Key(102).fold(static_cast<std::uint64_t>(b));
    fill_normal(key, drawn);
    double jump = 0.0;
    double error = 0.0;
    for (std::size_t d = 0; d < 2; ++d) {
      const double z = drawn[2 * d];
      const double p = drawn[2 * d + 1];
      const double to = map[0] * z + map[1] * p;
      const double momentum = map[2] * z + map[3] * p;
      jump += (to - z) * (to - z);
      error += 0.5 * (to * to + momentum * momentum - z * z - p * p);
    }
    const bool accepted = Stream(key.fold("accept")).uniform() < std::exp(-error);
    expected.push_back(accepted ? std::sqrt(jump) : 0.0);
  }
  checks.jumps.add_pair("jumps", std::move(actual), std::move(expected));
  return checks;
}

constexpr int kArrivalSteps = 5;

/// All chains start at one far point. A trajectory of length 1.5 turns a Gaussian of scale 1 by 86 degrees and halves
/// the distance of scale 2 and less; after 60 transitions what is left of the start is below 1e-9.
template <Kernel K>
statistics::Judgement judge_arrival(const K& kernel, const ToyField& field, float far) {
  const Matrix start(kReplicates, field.dimension(), far);
  return judge_draws(field, advance(kernel, field, start, {.step_size = 0.3, .transitions = 60}, Key(103)).positions);
}

}  // namespace vaeguard::mcmc
