// Names in records, which plans choose.
#pragma once

#include <string>
#include <string_view>

#include "vaeguard/base/option_reader.h"

namespace vaeguard::plans {

/// The name that the key gives, `fallback` where it gives none. Throws Misuse unless it is made of letters, digits and
/// _, so that it can stand in names of cells and files.
std::string record_name(OptionReader& reader, std::string_view key, std::string fallback);

}  // namespace vaeguard::plans
