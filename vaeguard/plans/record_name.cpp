// Checks the characters of names in records.
#include "vaeguard/plans/record_name.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::plans {

std::string record_name(OptionReader& reader, std::string_view key, std::string fallback) {
  std::string name = reader.text(key, std::move(fallback));
  const bool plain =
      !name.empty() && std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
  if (!plain) {
    misuse(reader.place(), "{} must be made of letters, digits and _, got '{}'", key, name);
  }
  return name;
}

}  // namespace vaeguard::plans
