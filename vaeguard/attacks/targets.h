// Whom a targeted attack imitates: for each reference another one of a different class.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/base/random.h"

namespace vaeguard::attacks {

/// For each reference the row of its target, a reference of another class drawn uniformly: of all candidates the one
/// with the smallest number key.fold(positions[own]).fold(positions[candidate]). `positions` are places in the data
/// set, so targets do not depend on the order of references, and adding references only gives targets to the new ones.
/// Throws Misuse where a reference has no candidate.
std::vector<std::int64_t> choose_targets(std::span<const std::int64_t> classes, std::span<const std::int64_t> positions,
                                         Key key);

}  // namespace vaeguard::attacks
