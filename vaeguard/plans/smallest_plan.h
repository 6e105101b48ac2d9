// The search for the smallest radii at which an attack succeeds, as data, read from a plan.
#pragma once

#include <cstdint>
#include <optional>

#include "vaeguard/attacks/success.h"
#include "vaeguard/plans/attack_plan.h"

namespace vaeguard::plans {

/// How smallest radii are searched for.
struct SmallestSearch {
  double largest = 0.0;
  std::int64_t steps = 8;                        // bisections
  double enough = 0.0;                           // success is an objective above this, unless `success` is set
  std::optional<attacks::Success> success = {};  // with the draws of the attack's plan
};

struct SmallestPlan {
  AttackPlan attack;  // without radii and defences
  SmallestSearch search;
};

/// Reads a [[smallest]] table. Throws Misuse, naming place, key, expectation and value.
SmallestPlan read_smallest(OptionReader reader);

}  // namespace vaeguard::plans
