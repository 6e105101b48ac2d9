// Ranges of numbers, and typed access to tables with errors that name place, expectation and value.
#include "vaeguard/base/option_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/text.h"

namespace vaeguard {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

}  // namespace

bool Range::contains(double value) const {
  return (without_least ? value > least : value >= least) && (without_most ? value < most : value <= most);
}

std::string Range::describe(std::string_view what) const {
  const bool bounded_below = std::isfinite(least);
  const bool bounded_above = std::isfinite(most);
  if (bounded_below && bounded_above) {
    return fmt::format("{} {} {} {} {}", what, without_least ? "above" : "from", least,
                       without_most ? (without_least ? "and below" : "to below") : (without_least ? "up to" : "to"),
                       most);
  }
  if (bounded_below) {
    return fmt::format("{} {} {}", what, without_least ? "above" : "of at least", least);
  }
  if (bounded_above) {
    return fmt::format("{} {} {}", what, without_most ? "below" : "of at most", most);
  }
  return std::string(what);
}

Range at_least(double least) { return {.least = least, .most = kInfinite, .without_most = true}; }
Range above(double least) { return {.least = least, .most = kInfinite, .without_least = true, .without_most = true}; }
Range from_to(double least, double most) { return {.least = least, .most = most}; }
Range from_to_below(double least, double most) { return {.least = least, .most = most, .without_most = true}; }
Range above_to(double least, double most) { return {.least = least, .most = most, .without_least = true}; }
Range between(double least, double most) {
  return {.least = least, .most = most, .without_least = true, .without_most = true};
}

OptionReader::OptionReader(const Value& table, std::string place) : table_(table), place_(std::move(place)) {
  if (table.as<Value::Table>() == nullptr) {
    misuse(place_, "must be a table, got {}", to_text(table));
  }
}

const Value* OptionReader::find(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) {
    known_.emplace_back(key);
  }
  return table_.find(key);
}

bool OptionReader::is_text(std::string_view key) {
  const Value* value = find(key);
  return value != nullptr && value->as<std::string>() != nullptr;
}

std::string OptionReader::place_of(const Value& value) const {
  return value.origin().empty() ? place_ : fmt::format("{}, {}", place_, value.origin());
}

void OptionReader::wrong(std::string_view key, std::string_view expected, const Value& found) const {
  misuse(place_of(found), "{} must be {}, got {}", key, expected, to_text(found));
}

void OptionReader::missing(std::string_view key, std::string_view expected) const {
  misuse(place_, "{} is missing; it must be {}", key, expected);
}

std::string OptionReader::text(std::string_view key, std::optional<std::string> fallback) {
  const Value* value = find(key);
  if (value == nullptr) {
    return fallback ? *fallback : (missing(key, "a text"), "");
  }
  const auto* text = value->as<std::string>();
  if (text == nullptr) {
    wrong(key, "a text", *value);
  }
  return *text;
}

double OptionReader::number(std::string_view key, const Range& range, std::optional<double> fallback) {
  const Value* value = find(key);
  const std::string expected = range.describe("a number");
  if (value == nullptr) {
    return fallback ? *fallback : (missing(key, expected), 0.0);
  }
  const std::optional<double> number = value->number();
  if (!number || !range.contains(*number)) {
    wrong(key, expected, *value);
  }
  return *number;
}

bool OptionReader::boolean(std::string_view key, bool fallback) {
  const Value* value = find(key);
  if (value == nullptr) {
    return fallback;
  }
  const bool* truth = value->as<bool>();
  if (truth == nullptr) {
    wrong(key, "true or false", *value);
  }
  return *truth;
}

std::int64_t OptionReader::integer(std::string_view key, const Range& range, std::optional<std::int64_t> fallback) {
  const Value* value = find(key);
  const std::string expected = range.describe("a whole number");
  if (value == nullptr) {
    return fallback ? *fallback : (missing(key, expected), 0);
  }
  const auto* whole = value->as<std::int64_t>();
  if (whole == nullptr || !range.contains(static_cast<double>(*whole))) {
    wrong(key, expected, *value);
  }
  return *whole;
}

std::vector<double> OptionReader::numbers(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr) {
    missing(key, "a list of numbers");
  }
  std::vector<double> result;
  if (const auto* list = value->as<Value::List>()) {
    for (const Value& element : *list) {
      const std::optional<double> number = element.number();
      if (!number) {
        wrong(key, "a list of numbers", *value);
      }
      result.push_back(*number);
    }
  }
  if (result.empty()) {
    wrong(key, "a list of numbers", *value);
  }
  return result;
}

std::vector<std::string> OptionReader::texts(std::string_view key) {
  std::vector<std::string> result;
  const Value* value = find(key);
  if (value == nullptr) {
    return result;
  }
  const auto* list = value->as<Value::List>();
  if (list == nullptr) {
    wrong(key, "a list of texts", *value);
  }
  for (const Value& element : *list) {
    const auto* text = element.as<std::string>();
    if (text == nullptr) {
      wrong(key, "a list of texts", *value);
    }
    result.push_back(*text);
  }
  return result;
}

OptionReader OptionReader::table(std::string_view key) {
  static const Value kEmpty;
  const Value* value = find(key);
  if (value != nullptr && value->as<Value::Table>() == nullptr) {
    wrong(key, fmt::format("a table [{}]", key), *value);
  }
  return {value == nullptr ? kEmpty : *value, fmt::format("{}, [{}]", place_, key)};
}

std::vector<OptionReader> OptionReader::tables(std::string_view key) {
  std::vector<OptionReader> result;
  const Value* value = find(key);
  if (value == nullptr) {
    return result;
  }
  if (value->as<Value::Table>() != nullptr) {
    result.push_back(table(key));
    return result;
  }
  const auto* list = value->as<Value::List>();
  const auto is_table = [](const Value& element) { return element.as<Value::Table>() != nullptr; };
  if (list == nullptr || list->empty() || !std::ranges::all_of(*list, is_table)) {
    wrong(key, fmt::format("tables [[{}]]", key), *value);
  }
  for (const Value& element : *list) {
    result.emplace_back(element, fmt::format("{}, [[{}]] {}", place_, key, result.size() + 1));
  }
  return result;
}

void OptionReader::finish() const {
  for (const Value::Member& member : *table_.as<Value::Table>()) {
    if (std::ranges::find(known_, member.key) == known_.end()) {
      unknown_name(place_of(member.value), "key", member.key, known_);
    }
  }
}

}  // namespace vaeguard
