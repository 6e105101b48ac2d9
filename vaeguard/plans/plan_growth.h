// Whether a plan only adds to another one, so that a finished run can be given more models, attacks, radii or defences.
#pragma once

#include <string>
#include <string_view>

namespace vaeguard::plans {

/// Why a run of the plan `before` cannot continue as a run of `after`, as a clause about `before`; empty if it can. A
/// cell's records depend on the seed, the data, the evaluation and the tables in the cell's name, so a plan may add
/// [[model]], [[attack]], [[defence]], [[smallest]] and [[distortion]] tables, and radii and defences to an attack, in
/// any order, but must keep what it had. Comments do not matter. Both plans are TOML; throws Misuse if one is not.
std::string what_changed(std::string_view before, std::string_view after);

}  // namespace vaeguard::plans
