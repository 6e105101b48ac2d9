// The kinetic energy K(p) = p' M^-1 p / 2 with a diagonal mass matrix per chain, and its momentum draws.
#pragma once

#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/random.h"

namespace vaeguard::mcmc {

/// Diagonal of M^-1 for each chain [n, D], positive; with the target's variances all directions have the same scale.
/// (The paper's eq. 10 prints K with a minus sign, with which exp(-H) would not be a density. K is positive here.)
struct Metric {
  Matrix inverse_mass;
};

Metric identity_metric(std::int64_t chains, std::int64_t dimension);
/// p ~ N(0, M), row b from keys[b].
void draw_momentum(const Metric& metric, std::span<const Key> keys, Matrix& momentum);
/// K(p) of each chain, in double.
std::vector<double> kinetic_energy(const Metric& metric, const Matrix& momentum);

}  // namespace vaeguard::mcmc
