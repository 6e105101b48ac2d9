// Trees of values: lookup, comparison and text.
#include "vaeguard/base/value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "vaeguard/base/error.h"

namespace vaeguard {
namespace {

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
    }
    if (static_cast<unsigned char>(c) < 0x20) {
      result += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      result += c;
    }
  }
  return result + '"';
}

// The shortest text that reads back as the same number, and never as a whole number.
std::string number_text(double value) {
  std::string text = fmt::format("{}", value);
  return std::isfinite(value) && text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string list_text(const Value::List& list) {
  std::vector<std::string> parts;
  std::ranges::transform(list, std::back_inserter(parts), to_text);
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

std::string table_text(const Value::Table& table) {
  std::vector<std::string> parts;
  for (const Value::Member& member : table) {
    parts.push_back(fmt::format("{} = {}", member.key, to_text(member.value)));
  }
  std::ranges::sort(parts);
  return parts.empty() ? "{}" : fmt::format("{{ {} }}", fmt::join(parts, ", "));
}

bool equal(const Value::Table& one, const Value& other, std::size_t size) {
  return one.size() == size && std::ranges::all_of(one, [&](const Value::Member& member) {
           const Value* found = other.find(member.key);
           return found != nullptr && *found == member.value;
         });
}

}  // namespace

Value::Value() : data_(Table{}) {}
Value::Value(Whole whole) {
  if (whole.truth) {
    data_ = whole.value != 0;
  } else {
    data_ = whole.value;
  }
}
Value::Value(double value) : data_(value) {}
Value::Value(std::string value) : data_(std::move(value)) {}
Value::Value(std::string_view value) : data_(std::string(value)) {}
Value::Value(const char* value) : data_(std::string(value)) {}
Value::Value(List value) : data_(std::move(value)) {}
Value::Value(Table value) : data_(std::move(value)) {}
Value::Value(const Value& other) = default;
Value::Value(Value&& other) noexcept = default;
Value& Value::operator=(const Value& other) = default;
Value& Value::operator=(Value&& other) noexcept = default;
Value::~Value() = default;

std::optional<double> Value::number() const {
  if (const auto* whole = as<std::int64_t>()) {
    return static_cast<double>(*whole);
  }
  const auto* any = as<double>();
  return any == nullptr ? std::nullopt : std::optional(*any);
}

const Value* Value::find(std::string_view key) const {
  const Table* table = as<Table>();
  if (table == nullptr) {
    return nullptr;
  }
  const auto found = std::ranges::find(*table, key, &Member::key);
  return found == table->end() ? nullptr : &found->value;
}

void Value::set(std::string_view key, Value value) {
  Table* table = std::get_if<Table>(&data_);
  if (table == nullptr) {
    misuse("base.value", "only tables have keys; {} cannot get the key {}", to_text(*this), key);
  }
  const auto found = std::ranges::find(*table, key, &Member::key);
  if (found != table->end()) {
    found->value = std::move(value);
  } else {
    table->push_back({std::string(key), std::move(value)});
  }
}

bool operator==(const Value& one, const Value& other) {
  const auto* mine = one.as<Value::Table>();
  const auto* theirs = other.as<Value::Table>();
  if (mine != nullptr && theirs != nullptr) {
    return equal(*mine, other, theirs->size());
  }
  if (mine != nullptr || theirs != nullptr || one.data_.index() != other.data_.index()) {
    return false;
  }
  if (const auto* list = one.as<Value::List>()) {
    return *list == *other.as<Value::List>();
  }
  if (const auto* text = one.as<std::string>()) {
    return *text == *other.as<std::string>();
  }
  const auto* truth = one.as<bool>();
  return truth != nullptr              ? *truth == *other.as<bool>()
         : one.as<double>() != nullptr ? *one.as<double>() == *other.as<double>()
                                       : *one.as<std::int64_t>() == *other.as<std::int64_t>();
}

std::string to_text(const Value& value) {
  if (const auto* truth = value.as<bool>()) {
    return *truth ? "true" : "false";
  }
  if (const auto* whole = value.as<std::int64_t>()) {
    return fmt::format("{}", *whole);
  }
  if (const auto* number = value.as<double>()) {
    return number_text(*number);
  }
  if (const auto* text = value.as<std::string>()) {
    return quoted(*text);
  }
  if (const auto* list = value.as<Value::List>()) {
    return list_text(*list);
  }
  return table_text(*value.as<Value::Table>());
}

}  // namespace vaeguard
