// Errors of inner functions, said of the file and node that they concern, for the sources of this folder only.
#pragma once

#include <string_view>

#include "vaeguard/base/error.h"

namespace vaeguard::importers {

/// Calls `call`; a Misuse that it throws becomes one of `place`, unless it is of a place within that.
template <typename Call>
auto said_of(std::string_view place, Call&& call) {
  try {
    return call();
  } catch (const Misuse& error) {
    std::string_view text = error.what();
    if (text.starts_with("[") && text.substr(1).starts_with(place)) {
      throw;
    }
    const auto end = text.starts_with("[") ? text.find("] ") : std::string_view::npos;
    text.remove_prefix(end == std::string_view::npos ? 0 : end + 2);
    misuse(place, "{}", text);
  }
}

}  // namespace vaeguard::importers
