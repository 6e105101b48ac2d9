// The smallest radius at which an attack succeeds on each image, by bisection.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/attacks/attack.h"

namespace vaeguard::attacks {

struct SmallestRadiusOptions {
  double enough = 0.0;                 // an attack succeeds if its objective, or the judge, exceeds this; 0 for margins
  std::int64_t steps = 8;              // halvings of the largest radius
  const ScalarField* judge = nullptr;  // with as many functions; null for the objective itself. See success.h
};

void validate(const SmallestRadiusOptions& options);

/// Per row; B rows, P pixels.
struct SmallestRadii {
  std::vector<double> radius;  // [B]: infinite if even the largest radius does not suffice
  Matrix adversarial;          // [B, P]: the attacked image at that radius, or at the last one tried if none suffices
  std::vector<double> objective;  // [B]
  std::int64_t gradients = 0;     // summed over rows
};

/// Attacks at `largest`, then halves each row's interval between a radius that failed (first 0) and one that succeeded,
/// `steps` times. The answer is an upper bound for the row's true smallest radius, within largest / 2^steps of a radius
/// at which this attack with this key fails: another attack may succeed there. Rows at the same radius run together; a
/// row's answer depends on its own function and key only.
SmallestRadii smallest_radii(const Attack& attack, const ScalarField& objective, const Matrix& references,
                             const Threat& largest, std::span<const Key> keys,
                             const SmallestRadiusOptions& options = {}, const Execution& execution = {});

}  // namespace vaeguard::attacks
