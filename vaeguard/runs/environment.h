// Where a run took place: versions, processor, libraries, and digests of what it used.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vaeguard::runs {

/// The version of vaeguard.
std::string version();
/// Name and value of everything about this build and machine that a number may depend on, in this order: vaeguard,
/// compiler, processor, instruction set of the kernels, number of processors, memory, libraries.
std::vector<std::pair<std::string, std::string>> environment();
/// The same as JSON, with further entries.
std::string environment_json(const std::map<std::string, std::string>& more);

}  // namespace vaeguard::runs
