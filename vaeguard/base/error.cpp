// Throws errors, out of line: every source has some.
#include "vaeguard/base/error.h"

namespace vaeguard {
namespace {

std::string message(std::string_view place, fmt::string_view text, fmt::format_args arguments) {
  return fmt::format("[{}] {}", place, fmt::vformat(text, arguments));
}

}  // namespace

void throw_misuse(std::string_view place, fmt::string_view text, fmt::format_args arguments) {
  throw Misuse(message(place, text, arguments));
}

void throw_failure(std::string_view place, fmt::string_view text, fmt::format_args arguments) {
  throw Failure(message(place, text, arguments));
}

}  // namespace vaeguard
