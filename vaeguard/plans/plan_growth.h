// Whether a plan only adds to another one, so that a finished run can be given more models, attacks, radii or defences.
#pragma once

#include <string>
#include <string_view>

namespace vaeguard::plans {

/// What keeps a run of the plan `before` from going on as a run of `after`, as half a sentence on `before`; empty where
/// nothing does. Records of a cell depend on the seed, the data, the evaluation and the tables that the cell's name
/// names, so a plan may add [[model]], [[attack]], [[defence]], [[smallest]] and [[distortion]] tables, and radii and
/// defences to an attack, in any order; what it had must stay. Comments are nobody's concern. Both are texts of TOML,
/// and Misuse is thrown where one is not.
std::string what_changed(std::string_view before, std::string_view after);

}  // namespace vaeguard::plans
