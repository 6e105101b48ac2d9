// The entry point that libFuzzer and the replay of corpora both call, and what all targets share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "vaeguard/base/error.h"

/// Reads `data` as the target's format. Misuse is the right answer to damage; crashes, leaks and other errors are bugs.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace vaeguard::fuzz {

inline std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Calls `read` and accepts the Misuse that damaged input deserves.
template <typename Read>
int read_or_refuse(Read&& read) {
  try {
    read();
  } catch (const Misuse&) {
    return 0;
  }
  return 0;
}

/// Ends the program where a law does not hold, so that the fuzzer keeps the input.
inline void demand(bool law) {
  if (!law) {
    __builtin_trap();
  }
}

}  // namespace vaeguard::fuzz
