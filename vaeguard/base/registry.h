// An ordered list of named entries: what a plan can refer to by name, and the error for a mistyped name.
#pragma once

#include <algorithm>
#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/base/text.h"

namespace vaeguard {

/// What every entry has: `name`, which plans and records use and which never changes; `title`, a few words for tables
/// and charts; `description`, one line that says what it is.
template <typename E>
concept Entry = requires(const E entry) {
  { entry.name } -> std::convertible_to<std::string_view>;
  { entry.title } -> std::convertible_to<std::string_view>;
  { entry.description } -> std::convertible_to<std::string_view>;
};

/// Entries stand beside the code that they name; a folder's registry lists them in the order in which they are shown.
template <Entry E>
class Registry {
 public:
  /// `what` is the noun for an entry in messages: "goal". Throws Misuse if two entries share a name or one lacks words.
  Registry(std::string_view place, std::string_view what, std::vector<E> entries)
      : place_(place), what_(what), entries_(std::move(entries)) {
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      const std::string_view name = entry->name;
      if (name.empty() || std::string_view(entry->title).empty() || std::string_view(entry->description).empty()) {
        misuse(place_,
               "every {} must have a name, a title and a description, '{}' has "
               "not",
               what_, name);
      }
      if (std::any_of(entries_.begin(), entry, [&](const E& other) { return other.name == name; })) {
        misuse(place_, "two entries are called {} '{}'", what_, name);
      }
    }
  }

  /// Throws Misuse that suggests the nearest known name; a caller may pass a better `place` for the message.
  [[nodiscard]] const E& find(std::string_view name) const { return find(name, place_); }
  [[nodiscard]] const E& find(std::string_view name, std::string_view place) const {
    const E* entry = lookup(name);
    if (entry == nullptr) {
      unknown_name(place, what_, name, names());
    }
    return *entry;
  }
  /// Null if no entry has that name.
  [[nodiscard]] const E* lookup(std::string_view name) const {
    const auto found = std::ranges::find(entries_, name, [](const E& entry) { return std::string_view(entry.name); });
    return found == entries_.end() ? nullptr : &*found;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const E& entry : entries_) {
      result.emplace_back(entry.name);
    }
    return result;
  }

  [[nodiscard]] auto begin() const { return entries_.begin(); }
  [[nodiscard]] auto end() const { return entries_.end(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] const E& front() const { return entries_.front(); }

 private:
  std::string place_;
  std::string what_;
  std::vector<E> entries_;
};

}  // namespace vaeguard
