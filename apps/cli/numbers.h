// Checks of numbers on the command line, with messages that say what a number should have been.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>

namespace vaeguard::cli {

/// A whole number of `least` to `most`: "must be a whole number of at least 1, got 'x'".
CLI::Validator whole_number(std::int64_t least, std::int64_t most = std::numeric_limits<std::int64_t>::max());

/// A finite number; one of at least 0; one above 0.
CLI::Validator number();
CLI::Validator number_from_zero();
CLI::Validator positive_number();

}  // namespace vaeguard::cli
