// Typed access to TOML tables with errors that name place, expectation and finding.
#include "vaeguard/plans/table_reader.h"

#include <algorithm>
#include <sstream>

#include "vaeguard/base/error.h"
#include "vaeguard/base/text.h"

namespace vaeguard::plans {
namespace {

std::string printed(const toml::node& node) {
  std::ostringstream out;
  node.visit([&](const auto& value) { out << value; });
  return out.str();
}

}  // namespace

const toml::node* TableReader::find(std::string_view key) {
  known_.emplace_back(key);
  return table_.get(key);
}

void TableReader::wrong(std::string_view key, std::string_view expected, const toml::node& found) const {
  misuse(fmt::format("{}, line {}", place_, found.source().begin.line), "{} must be {}, got {}", key, expected,
         printed(found));
}

void TableReader::missing(std::string_view key, std::string_view expected) const {
  misuse(place_, "{} is missing; it must be {}", key, expected);
}

std::string TableReader::text(std::string_view key, std::optional<std::string> fallback) {
  const toml::node* node = find(key);
  if (node == nullptr) {
    return fallback ? *fallback : (missing(key, "a text"), "");
  }
  if (!node->is_string()) {
    wrong(key, "a text", *node);
  }
  return *node->value<std::string>();
}

double TableReader::number(std::string_view key, std::optional<double> fallback) {
  const toml::node* node = find(key);
  if (node == nullptr) {
    return fallback ? *fallback : (missing(key, "a number"), 0.0);
  }
  if (!node->is_number()) {
    wrong(key, "a number", *node);
  }
  return *node->value<double>();
}

bool TableReader::boolean(std::string_view key, bool fallback) {
  const toml::node* node = find(key);
  if (node == nullptr) {
    return fallback;
  }
  if (!node->is_boolean()) {
    wrong(key, "true or false", *node);
  }
  return *node->value<bool>();
}

std::int64_t TableReader::integer(std::string_view key, std::int64_t least, std::optional<std::int64_t> fallback) {
  const toml::node* node = find(key);
  const std::string expected = fmt::format("a whole number of at least {}", least);
  if (node == nullptr) {
    return fallback ? *fallback : (missing(key, expected), 0);
  }
  if (!node->is_integer() || *node->value<std::int64_t>() < least) {
    wrong(key, expected, *node);
  }
  return *node->value<std::int64_t>();
}

std::vector<double> TableReader::numbers(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) {
    missing(key, "a list of numbers");
  }
  std::vector<double> result;
  if (const auto* list = node->as_array()) {
    for (const auto& entry : *list) {
      if (!entry.is_number()) {
        wrong(key, "a list of numbers", *node);
      }
      result.push_back(*entry.value<double>());
    }
  }
  if (result.empty()) {
    wrong(key, "a list of numbers", *node);
  }
  return result;
}

std::vector<std::string> TableReader::texts(std::string_view key) {
  std::vector<std::string> result;
  const toml::node* node = find(key);
  if (node == nullptr) {
    return result;
  }
  const auto* list = node->as_array();
  if (list == nullptr) {
    wrong(key, "a list of texts", *node);
  }
  for (const auto& entry : *list) {
    if (!entry.is_string()) {
      wrong(key, "a list of texts", *node);
    }
    result.push_back(*entry.value<std::string>());
  }
  return result;
}

TableReader TableReader::table(std::string_view key) {
  static const toml::table kEmpty;
  const toml::node* node = find(key);
  if (node != nullptr && !node->is_table()) {
    wrong(key, fmt::format("a table [{}]", key), *node);
  }
  return {node == nullptr ? kEmpty : *node->as_table(), fmt::format("{}, [{}]", place_, key)};
}

std::vector<TableReader> TableReader::tables(std::string_view key) {
  std::vector<TableReader> result;
  const toml::node* node = find(key);
  if (node == nullptr) {
    return result;
  }
  if (node->is_table()) {
    result.push_back(table(key));
    return result;
  }
  const auto* list = node->as_array();
  if (list == nullptr || !list->is_array_of_tables()) {
    wrong(key, fmt::format("tables [[{}]]", key), *node);
  }
  for (const auto& entry : *list) {
    result.emplace_back(*entry.as_table(), fmt::format("{}, [[{}]] {}", place_, key, result.size() + 1));
  }
  return result;
}

void TableReader::finish() const {
  for (const auto& [key, node] : table_) {
    if (std::find(known_.begin(), known_.end(), key.str()) == known_.end()) {
      unknown_name(fmt::format("{}, line {}", place_, key.source().begin.line), "key", key.str(), known_);
    }
  }
}

toml::table parse_toml(std::string_view text, std::string_view place) {
  try {
    return toml::parse(text, place);
  } catch (const toml::parse_error& error) {
    misuse(fmt::format("{}, line {}", place, error.source().begin.line), "no valid TOML: {}", error.description());
  }
}

}  // namespace vaeguard::plans
