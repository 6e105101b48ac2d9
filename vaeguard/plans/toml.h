// TOML, in files and on a command line, as a tree of values: the only place that knows the format.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/value.h"

namespace vaeguard::plans {

/// The table that the text holds; every value knows its line. Throws Misuse that names place and line where the text is
/// no TOML, or holds a date or a time, which no option is.
Value parse_toml(std::string_view text, std::string_view place);

/// A value of a command line: what TOML makes of the text, and the text itself where TOML makes nothing of it, so that
/// map is "map".
Value parse_value(std::string_view text);
/// Settings of a command line, "key=value" each, as a table. A later setting of a key replaces an earlier one. Throws
/// Misuse where there is no key.
Value parse_settings(const std::vector<std::string>& settings, std::string_view place);

}  // namespace vaeguard::plans
