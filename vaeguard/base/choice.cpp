// Words about a choice and its options.
#include "vaeguard/base/choice.h"

#include <fmt/format.h>

namespace vaeguard {

std::string no_such_option(std::string_view noun, std::string_view name, std::string_view key) {
  return fmt::format("the {} {} has no {}", noun, name, key);
}

std::string describe_choice(std::string_view name, const Value& values) {
  std::string text(name);
  for (const auto& [key, value] : *values.as<Value::Table>()) {
    const auto number = value.number();
    text += fmt::format(", {} {}", key, number ? fmt::format("{}", *number) : to_text(value));
  }
  return text;
}

}  // namespace vaeguard
