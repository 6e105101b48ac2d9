// Parses TOML, in files and on command lines, into a tree of values: the only place that knows the format.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/value.h"

namespace vaeguard::plans {

/// The text as a table; every value knows its line. Throws Misuse, naming place and line, if the text is not TOML or
/// contains a date or time, which no option accepts.
Value parse_toml(std::string_view text, std::string_view place);

/// A value on a command line: the text as TOML, or the text itself if it is not a TOML value, so that map is "map".
Value parse_value(std::string_view text);
/// The settings of a command line, each "key=value", as a table. A later setting of a key replaces an earlier one.
/// Throws Misuse if a key is missing.
Value parse_settings(const std::vector<std::string>& settings, std::string_view place);

}  // namespace vaeguard::plans
