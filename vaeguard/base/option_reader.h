// Reads one table of options key by key; a key that nothing asked for is an error that suggests the nearest known one.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/value.h"

namespace vaeguard {

/// The numbers that an option accepts, from least to most, either of which may be excluded. NaN is never in a range.
struct Range {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool without_least = false;
  bool without_most = false;

  [[nodiscard]] bool contains(double value) const;
  /// `what` with its bounds: "a whole number of at least 1", "a number from 0 to below 1".
  [[nodiscard]] std::string describe(std::string_view what) const;
};

/// Infinities included.
inline Range any_number() { return {}; }
/// All other ranges hold finite numbers only.
Range at_least(double least);
Range above(double least);
Range from_to(double least, double most);
Range from_to_below(double least, double most);
Range above_to(double least, double most);
Range between(double least, double most);

/// Every getter throws Misuse "[place, line] key must be ..., got ..." for a value of the wrong type or out of range.
class OptionReader {
 public:
  /// `place` names the table in messages, e.g. "plans/mnist.toml, [[attack]] 2". The table must outlive the reader.
  /// Throws Misuse if `table` is not a table.
  OptionReader(const Value& table, std::string place);
  OptionReader(Value&& table, std::string place) = delete;

  /// The value; null where there is none. Asking for a key, with any getter, makes it a known one.
  const Value* find(std::string_view key);
  [[nodiscard]] bool has(std::string_view key) { return find(key) != nullptr; }
  [[nodiscard]] bool is_text(std::string_view key);
  /// Without a fallback the key is required.
  std::string text(std::string_view key, std::optional<std::string> fallback = std::nullopt);
  double number(std::string_view key, const Range& range, std::optional<double> fallback = std::nullopt);
  bool boolean(std::string_view key, bool fallback);
  std::int64_t integer(std::string_view key, const Range& range, std::optional<std::int64_t> fallback = std::nullopt);
  /// A list of at least one number; required.
  std::vector<double> numbers(std::string_view key);
  /// Empty where there is none.
  std::vector<std::string> texts(std::string_view key);
  /// The named table; an empty one where it is absent.
  OptionReader table(std::string_view key);
  /// The named list of tables, or a single table as a list of one; empty where it is absent.
  std::vector<OptionReader> tables(std::string_view key);
  /// Throws Misuse for the first key that no getter asked for.
  void finish() const;

  [[nodiscard]] const std::string& place() const { return place_; }
  /// The place of one value in messages: the table's place and the value's origin.
  [[nodiscard]] std::string place_of(const Value& value) const;

 private:
  [[noreturn]] void wrong(std::string_view key, std::string_view expected, const Value& found) const;
  [[noreturn]] void missing(std::string_view key, std::string_view expected) const;

  const Value& table_;
  std::string place_;
  std::vector<std::string> known_;
};

}  // namespace vaeguard
