// Conversion from toml++ to trees of values.
#include "vaeguard/plans/toml.h"

#include <toml++/toml.h>

#include <optional>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::plans {
namespace {

std::string origin_of(const toml::source_region& source) { return fmt::format("line {}", source.begin.line); }

Value value_of(const toml::node& node, std::string_view place);

Value list_of(const toml::array& array, std::string_view place) {
  Value::List list;
  for (const toml::node& element : array) {
    list.push_back(value_of(element, place));
  }
  return list;
}

// toml++ sorts by key; a value gets the line of its key.
Value table_of(const toml::table& table, std::string_view place) {
  Value result;
  for (const auto& [key, node] : table) {
    Value value = value_of(node, place);
    value.from(origin_of(node.is_table() ? node.source() : key.source()));
    result.set(key.str(), std::move(value));
  }
  return result;
}

Value value_of(const toml::node& node, std::string_view place) {
  Value value;
  if (const auto* table = node.as_table()) {
    value = table_of(*table, place);
  } else if (const auto* array = node.as_array()) {
    value = list_of(*array, place);
  } else if (const auto* text = node.as_string()) {
    value = Value(text->get());
  } else if (const auto* whole = node.as_integer()) {
    value = Value(whole->get());
  } else if (const auto* number = node.as_floating_point()) {
    value = Value(number->get());
  } else if (const auto* truth = node.as_boolean()) {
    value = Value(truth->get());
  } else {
    misuse(fmt::format("{}, {}", place, origin_of(node.source())), "no option is a date or a time");
  }
  return std::move(value.from(origin_of(node.source())));
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The text as a single TOML value; none if it is not one.
std::optional<Value> one_value(std::string_view text) {
  try {
    const toml::table table = toml::parse(fmt::format("value = {}", text));
    const toml::node* node = table.get("value");
    return table.size() == 1 && node != nullptr ? std::optional(value_of(*node, "")) : std::nullopt;
  } catch (const toml::parse_error&) {
    return std::nullopt;
  } catch (const Misuse&) {
    return std::nullopt;
  }
}

}  // namespace

Value parse_toml(std::string_view text, std::string_view place) {
  try {
    return table_of(toml::parse(text, place), place);
  } catch (const toml::parse_error& error) {
    misuse(fmt::format("{}, line {}", place, error.source().begin.line), "no valid TOML: {}", error.description());
  }
}

Value parse_value(std::string_view text) { return one_value(text).value_or(Value(text)).from(""); }

Value parse_settings(const std::vector<std::string>& settings, std::string_view place) {
  Value table;
  for (const std::string& setting : settings) {
    const auto equals = setting.find('=');
    const std::string_view key = trimmed(std::string_view(setting).substr(0, equals));
    if (equals == std::string::npos || key.empty()) {
      misuse(place, "--set must be key=value, got '{}'", setting);
    }
    const std::string_view text = trimmed(std::string_view(setting).substr(equals + 1));
    table.set(key, parse_value(text).from("--set"));
  }
  return table;
}

}  // namespace vaeguard::plans
