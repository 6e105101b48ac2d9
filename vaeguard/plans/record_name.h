// The names that a plan gives to things in its records.
#pragma once

#include <string>
#include <string_view>

#include "vaeguard/base/option_reader.h"

namespace vaeguard::plans {

/// The name under this key, or `fallback`. Throws Misuse unless it consists of letters, digits and _, so that it can be
/// part of the names of cells and files.
std::string record_name(OptionReader& reader, std::string_view key, std::string fallback);

}  // namespace vaeguard::plans
