// The options of a likelihood, for tests that compute tolerances and references from them.
#pragma once

#include "vaeguard/models/likelihood.h"

namespace vaeguard::models {

/// The variance of a pixel; 1 where the likelihood has none.
inline double variance_of(const Likelihood& likelihood) {
  const Value values = likelihood.values();
  const Value* variance = values.find("variance");
  return variance == nullptr ? 1.0 : variance->number().value();
}

}  // namespace vaeguard::models
