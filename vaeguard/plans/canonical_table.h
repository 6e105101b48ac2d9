// The tables of a plan in one form each, whatever their order, layout and comments: what a cell is known by.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vaeguard::plans {

/// The tables [[key]] of a plan, or one [key], in their order: keys in alphabetical order, no comments, and without
/// `radii` and `defences`, of which each cell has one. Empty where the plan has no such table. Throws Misuse where the
/// text is no TOML.
std::vector<std::string> canonical_tables(std::string_view plan, std::string_view key);

}  // namespace vaeguard::plans
