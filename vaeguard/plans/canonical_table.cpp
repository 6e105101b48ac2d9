// Rewrites the tables of a plan in canonical form.
#include "vaeguard/plans/canonical_table.h"

#include "vaeguard/base/value.h"
#include "vaeguard/plans/toml.h"

namespace vaeguard::plans {
namespace {

std::string canonical(const Value::Table& table) {
  Value::Table kept;
  for (const Value::Member& member : table) {
    if (member.key != "radii" && member.key != "defences") {
      kept.push_back(member);
    }
  }
  return to_text(Value(std::move(kept)));
}

}  // namespace

std::vector<std::string> canonical_tables(std::string_view plan, std::string_view key) {
  const Value whole = parse_toml(plan, "the plan");
  const Value* value = whole.find(key);
  std::vector<std::string> result;
  if (value == nullptr) {
    return result;
  }
  if (const auto* table = value->as<Value::Table>()) {
    result.push_back(canonical(*table));
  } else if (const auto* list = value->as<Value::List>()) {
    for (const Value& element : *list) {
      if (const auto* one = element.as<Value::Table>()) {
        result.push_back(canonical(*one));
      }
    }
  }
  return result;
}

}  // namespace vaeguard::plans
