// Reads one TOML table key by key; what was never asked for is an error that names the nearest known key.
#pragma once

#include <toml++/toml.h>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaeguard/base/text.h"

namespace vaeguard::plans {

/// Throws Misuse that names place and line where the text is no TOML.
toml::table parse_toml(std::string_view text, std::string_view place);

/// Every getter throws Misuse "[file:line] key must be ..., got ..." where the value has the wrong type.
class TableReader {
 public:
  /// `place` names the table in messages, e.g. "plans/mnist.toml, [[attack]] 2".
  TableReader(const toml::table& table, std::string place) : table_(table), place_(std::move(place)) {}

  /// Both take the key for known.
  [[nodiscard]] bool has(std::string_view key) { return find(key) != nullptr; }
  [[nodiscard]] bool is_text(std::string_view key) {
    const toml::node* node = find(key);
    return node != nullptr && node->is_string();
  }
  /// Without a fallback the key is required.
  std::string text(std::string_view key, std::optional<std::string> fallback = std::nullopt);
  double number(std::string_view key, std::optional<double> fallback = std::nullopt);
  bool boolean(std::string_view key, bool fallback);
  std::int64_t integer(std::string_view key, std::int64_t least, std::optional<std::int64_t> fallback = std::nullopt);
  std::vector<double> numbers(std::string_view key);
  std::vector<std::string> texts(std::string_view key);
  /// The named table; an empty one where it is absent.
  TableReader table(std::string_view key);
  /// The named array of tables, or one table alone; empty where it is absent.
  std::vector<TableReader> tables(std::string_view key);
  /// Throws Misuse for the first key that no getter asked for.
  void finish() const;
  [[nodiscard]] const std::string& place() const { return place_; }

 private:
  const toml::node* find(std::string_view key);
  [[noreturn]] void wrong(std::string_view key, std::string_view expected, const toml::node& found) const;
  [[noreturn]] void missing(std::string_view key, std::string_view expected) const;

  const toml::table& table_;
  std::string place_;
  std::vector<std::string> known_;
};

/// The value whose word the key has, `fallback` where there is no such key. Throws Misuse that names the nearest word.
template <typename Enum>
Enum choice(TableReader& reader, std::string_view key, Enum fallback,
            const std::vector<std::pair<std::string, Enum>>& words) {
  if (!reader.has(key)) {
    return fallback;
  }
  const std::string word = reader.text(key);
  std::vector<std::string> known;
  for (const auto& [name, value] : words) {
    if (name == word) {
      return value;
    }
    known.push_back(name);
  }
  unknown_name(reader.place(), key, word, known);
}

}  // namespace vaeguard::plans
