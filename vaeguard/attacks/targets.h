// The targets of targeted attacks: for each reference another one, of a different class where there are classes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/base/random.h"

namespace vaeguard::attacks {

/// For each reference the row of its target, a reference of another class drawn uniformly: the candidate with the
/// smallest number key.fold(positions[own]).fold(positions[candidate]). `positions` are places in the data set, so
/// targets do not depend on the order of references, and an added reference changes a target only by becoming it.
/// Without `classes` every other reference is a candidate. Throws Misuse if a reference has none.
std::vector<std::int64_t> choose_targets(std::span<const std::int64_t> classes, std::span<const std::int64_t> positions,
                                         Key key);

}  // namespace vaeguard::attacks
