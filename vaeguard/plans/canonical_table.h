// The tables of a plan in canonical form, independent of order, layout and comments: part of a cell's identity.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vaeguard::plans {

/// The tables [[key]] of a plan, or a single [key], in their order: keys sorted alphabetically, no comments, and
/// without `radii` and `defences`, of which each cell has one. Empty if the plan has no such table. Throws Misuse if
/// the text is not TOML.
std::vector<std::string> canonical_tables(std::string_view plan, std::string_view key);

}  // namespace vaeguard::plans
