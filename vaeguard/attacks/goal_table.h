// All goals that plans can name.
#pragma once

#include <vector>

#include "vaeguard/attacks/registry.h"

namespace vaeguard::attacks {

/// For registry.cpp.
std::vector<GoalEntry> goal_table();

}  // namespace vaeguard::attacks
