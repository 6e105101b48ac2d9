// Another formulation, measured for comparison: a Python script that prints one JSON object.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vaeguard::cli {

/// Runs `script` with Debian's python3 and returns what it prints. Throws Failure, naming the command and its output,
/// unless it ends with 0 and prints one JSON object that has `field`.
nlohmann::ordered_json run_peer(const std::string& script, const std::string& arguments, const std::string& field);

}  // namespace vaeguard::cli
