// Between the spelling of the command line and that of plans.
#include "apps/cli/choice_options.h"

#include <algorithm>

#include "vaeguard/plans/toml.h"

namespace vaeguard::cli {

std::string flag(std::string_view key) {
  std::string result = "--" + std::string(key);
  std::ranges::replace(result, '_', '-');
  return result;
}

Value table_of(const WrittenOptions& options) {
  Value table;
  for (const auto& [key, text] : options) {
    if (!text.empty()) {
      table.set(key, plans::parse_value(text).from(flag(key)));
    }
  }
  return table;
}

}  // namespace vaeguard::cli
