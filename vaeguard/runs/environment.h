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
/// compiler, system, processor, number of processors, memory, the backends that are present, libraries.
std::vector<std::pair<std::string, std::string>> environment();
/// All names that it may have, on another machine or later in this program.
std::vector<std::string> environment_names();
/// The same as JSON, with further entries.
std::string environment_json(const std::map<std::string, std::string>& more);

}  // namespace vaeguard::runs
