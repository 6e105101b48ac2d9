// Compares plans as TOML: what is not named in a cell must be the same, what is named may have company.
#include "vaeguard/plans/plan_growth.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <type_traits>
#include <vector>

#include "vaeguard/plans/table_reader.h"

namespace vaeguard::plans {
namespace {

// Tables that cells are named after.
constexpr std::array<std::string_view, 5> kNamed = {"model", "attack", "defence", "smallest", "distortion"};

bool same(const toml::node* one, const toml::node* other) {
  if (one == nullptr || other == nullptr) {
    return one == other;
  }
  return one->visit([&](const auto& value) {
    const auto* same_type = other->as<std::remove_cvref_t<decltype(value)>>();
    return same_type != nullptr && value == *same_type;
  });
}

// Every key of either table, in alphabetical order.
std::set<std::string> keys_of(const toml::table& one, const toml::table& other) {
  std::set<std::string> keys;
  for (const toml::table* table : {&one, &other}) {
    for (const auto& [key, node] : *table) {
      keys.emplace(key.str());
    }
  }
  return keys;
}

bool contains_all(const toml::array& whole, const toml::array& part) {
  return std::ranges::all_of(part, [&](const toml::node& wanted) {
    return std::ranges::any_of(whole, [&](const toml::node& node) { return same(&wanted, &node); });
  });
}

// An attack may meet more radii and more defences; one that names no defences meets them all.
bool grows(std::string_view key, const toml::node* before, const toml::node* after) {
  if (key == "defences" && before != nullptr && after == nullptr) {
    return true;
  }
  return (key == "radii" || key == "defences") && before != nullptr && after != nullptr && before->is_array() &&
         after->is_array() && contains_all(*after->as_array(), *before->as_array());
}

bool goes_on(const toml::table& before, const toml::table& after) {
  return std::ranges::all_of(keys_of(before, after), [&](const std::string& key) {
    return same(before.get(key), after.get(key)) || grows(key, before.get(key), after.get(key));
  });
}

// [[key]], or one [key] alone.
std::vector<const toml::table*> tables(const toml::table& plan, std::string_view key) {
  std::vector<const toml::table*> result;
  const toml::node* node = plan.get(key);
  if (node != nullptr && node->is_table()) {
    result.push_back(node->as_table());
  } else if (node != nullptr && node->is_array()) {
    for (const toml::node& element : *node->as_array()) {
      result.push_back(element.as_table());
    }
  }
  std::erase(result, nullptr);
  return result;
}

}  // namespace

std::string what_changed(std::string_view before_text, std::string_view after_text) {
  const toml::table before = parse_toml(before_text, "the plan of the run");
  const toml::table after = parse_toml(after_text, "the plan");
  for (const std::string& key : keys_of(before, after)) {
    if (std::ranges::find(kNamed, key) == kNamed.end() && !same(before.get(key), after.get(key))) {
      return fmt::format("its '{}' is not that of this one", key);
    }
  }
  for (const std::string_view key : kNamed) {
    const auto now = tables(after, key);
    for (const toml::table* table : tables(before, key)) {
      if (std::ranges::none_of(now, [&](const toml::table* one) { return goes_on(*table, *one); })) {
        return fmt::format("its [[{}]] of line {} is not in this one", key, table->source().begin.line);
      }
    }
  }
  // Cells name the model only where there are several.
  if (tables(before, "model").size() < 2 && tables(after, "model").size() > 1) {
    return "its cells do not name their only model";
  }
  return "";
}

}  // namespace vaeguard::plans
