// What an attacker knows of the defence: a field of plans, cells and records.
#pragma once

#include <string_view>

#include "vaeguard/base/registry.h"

namespace vaeguard::attacks {

struct AttackerEntry {
  std::string_view name;
  std::string_view title;
  std::string_view description;
};

const Registry<AttackerEntry>& attackers();

}  // namespace vaeguard::attacks
