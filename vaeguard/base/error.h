// Errors: misuse (exit code 2) and failures while running (exit code 1), each naming place, expectation and value.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string_view>

namespace vaeguard {

/// A bad option, plan or file: the caller can mend it. Applications translate it to exit code 2.
class Misuse : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Something failed while running (disk full, broken database). Applications translate it to exit code 1.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws Misuse with the message "[place] text"; misuse() is the way to call it.
[[noreturn]] void throw_misuse(std::string_view place, fmt::string_view text, fmt::format_args arguments);
/// Throws Failure likewise.
[[noreturn]] void throw_failure(std::string_view place, fmt::string_view text, fmt::format_args arguments);

/// Throws Misuse with the message "[place] text", e.g. "[mcmc.hmc] step_size must be finite and > 0, got nan".
template <typename... Arguments>
[[noreturn]] void misuse(std::string_view place, fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  throw_misuse(place, text, fmt::make_format_args(arguments...));
}

/// Throws Failure with the message "[place] text".
template <typename... Arguments>
[[noreturn]] void failure(std::string_view place, fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  throw_failure(place, text, fmt::make_format_args(arguments...));
}

}  // namespace vaeguard
