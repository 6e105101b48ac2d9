// The known name nearest to a mistyped one, and the error that suggests it.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vaeguard {

/// The known word with the fewest edits (insert, delete, replace, swap neighbours) from `word`, the first on a tie;
/// empty if all need more edits than a third of the length of `word` (one edit is always allowed).
std::string nearest(std::string_view word, std::span<const std::string> known);

/// Throws Misuse "[place] unknown WHAT 'word', did you mean 'nearest'? Known: a, b, c".
[[noreturn]] void unknown_name(std::string_view place, std::string_view what, std::string_view word,
                               std::span<const std::string> known);

}  // namespace vaeguard
