// Compares plans as TOML: tables that cells are named after may be added, everything else must be the same.
#include "vaeguard/plans/plan_growth.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "vaeguard/plans/toml.h"

namespace vaeguard::plans {
namespace {

// Tables that cells are named after.
constexpr std::array<std::string_view, 5> kNamed = {"model", "attack", "defence", "smallest", "distortion"};

bool same(const Value* one, const Value* other) {
  return one == nullptr || other == nullptr ? one == other : *one == *other;
}

// Every key of either table, in alphabetical order.
std::set<std::string> keys_of(const Value& one, const Value& other) {
  std::set<std::string> keys;
  for (const Value* table : {&one, &other}) {
    for (const Value::Member& member : *table->as<Value::Table>()) {
      keys.insert(member.key);
    }
  }
  return keys;
}

bool contains_all(const Value::List& whole, const Value::List& part) {
  return std::ranges::all_of(part,
                             [&](const Value& wanted) { return std::ranges::find(whole, wanted) != whole.end(); });
}

// An attack may gain radii and defences; one that names no defences meets them all.
bool grows(std::string_view key, const Value* before, const Value* after) {
  if (key == "defences" && before != nullptr && after == nullptr) {
    return true;
  }
  if ((key != "radii" && key != "defences") || before == nullptr || after == nullptr) {
    return false;
  }
  const auto* part = before->as<Value::List>();
  const auto* whole = after->as<Value::List>();
  return part != nullptr && whole != nullptr && contains_all(*whole, *part);
}

bool goes_on(const Value& before, const Value& after) {
  return std::ranges::all_of(keys_of(before, after), [&](const std::string& key) {
    return same(before.find(key), after.find(key)) || grows(key, before.find(key), after.find(key));
  });
}

// All tables [[key]], or a single [key].
std::vector<const Value*> tables(const Value& plan, std::string_view key) {
  std::vector<const Value*> result;
  const Value* value = plan.find(key);
  if (value == nullptr) {
    return result;
  }
  if (const auto* list = value->as<Value::List>()) {
    for (const Value& element : *list) {
      result.push_back(&element);
    }
  } else {
    result.push_back(value);
  }
  std::erase_if(result, [](const Value* one) { return one->as<Value::Table>() == nullptr; });
  return result;
}

}  // namespace

std::string what_changed(std::string_view before_text, std::string_view after_text) {
  const Value before = parse_toml(before_text, "the plan of the run");
  const Value after = parse_toml(after_text, "the plan");
  for (const std::string& key : keys_of(before, after)) {
    if (std::ranges::find(kNamed, key) == kNamed.end() && !same(before.find(key), after.find(key))) {
      return fmt::format("its '{}' is not that of this one", key);
    }
  }
  for (const std::string_view key : kNamed) {
    const auto now = tables(after, key);
    for (const Value* table : tables(before, key)) {
      if (std::ranges::none_of(now, [&](const Value* one) { return goes_on(*table, *one); })) {
        return fmt::format("its [[{}]] of {} is not in this one", key, table->origin());
      }
    }
  }
  // Names of cells contain the model only if there are several.
  if (tables(before, "model").size() < 2 && tables(after, "model").size() > 1) {
    return "its cells do not name their only model";
  }
  return "";
}

}  // namespace vaeguard::plans
