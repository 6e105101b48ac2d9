// The readable reference of a prior: couplings as plain loops in double precision, both ways, with their gradient.
#pragma once

#include <span>
#include <vector>

#include "vaeguard/models/prior.h"

namespace vaeguard::models {

/// u of one code, and log |det du/dz|.
struct ReferenceBase {
  std::vector<double> point;
  double log_determinant = 0.0;
};
ReferenceBase reference_base(const PriorWeights& prior, std::span<const double> latent);

/// The code of a base point: the inverse of reference_base.
std::vector<double> reference_from_base(const PriorWeights& prior, std::span<const double> base);

/// -log p(z) in nats; writes its gradient [D] unless null. Prior is tested against it.
double reference_prior_energy(const PriorWeights& prior, std::span<const double> latent, std::vector<double>* gradient);

}  // namespace vaeguard::models
