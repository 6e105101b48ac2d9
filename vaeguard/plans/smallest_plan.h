// The search for the smallest radii at which an attack succeeds, as data, read from a plan.
#pragma once

#include <cstdint>
#include <optional>

#include "vaeguard/attacks/success.h"
#include "vaeguard/plans/attack_plan.h"

namespace vaeguard::plans {

/// What smallest radii are sought.
struct SmallestSearch {
  double largest = 0.0;
  std::int64_t steps = 8;                        // halvings
  double enough = 0.0;                           // success is an objective above this, where there is no other rule
  std::optional<attacks::Success> success = {};  // with the draws of the attack's plan
};

struct SmallestPlan {
  AttackPlan attack;  // without radii and defences
  SmallestSearch search;
};

/// Reads a [[smallest]] table. Throws Misuse that names place, key, expectation and finding.
SmallestPlan read_smallest(OptionReader reader);

}  // namespace vaeguard::plans
