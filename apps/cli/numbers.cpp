// Numbers read whole: "1.5" is no whole number, and neither is one that does not fit.
#include "apps/cli/numbers.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <string>

namespace vaeguard::cli {
namespace {

template <typename Number>
std::optional<Number> parse(const std::string& text) {
  const std::size_t sign = text.starts_with('+') ? 1 : 0;  // which from_chars does not know
  Number value{};
  const auto [end, error] = std::from_chars(text.data() + sign, text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

template <typename Law>
CLI::Validator number_that(std::string expectation, const Law& law) {
  return {[expectation, law](std::string& text) {
            const auto value = parse<double>(text);
            return value && std::isfinite(*value) && law(*value)
                       ? std::string()
                       : fmt::format("must be {}, got '{}'", expectation, text);
          },
          "", "number"};
}

}  // namespace

CLI::Validator whole_number(std::int64_t least, std::int64_t most) {
  return {[least, most](std::string& text) {
            const auto value = parse<std::int64_t>(text);
            if (value && *value >= least && *value <= most) {
              return std::string();
            }
            return most == std::numeric_limits<std::int64_t>::max()
                       ? fmt::format("must be a whole number of at least {}, got '{}'", least, text)
                       : fmt::format("must be a whole number from {} to {}, got '{}'", least, most, text);
          },
          "", "whole number"};
}

CLI::Validator number() {
  return number_that("a number", [](double) { return true; });
}

CLI::Validator number_from_zero() {
  return number_that("a number of at least 0", [](double value) { return value >= 0.0; });
}

CLI::Validator positive_number() {
  return number_that("a number above 0", [](double value) { return value > 0.0; });
}

}  // namespace vaeguard::cli
