// All goals that plans can name, and the targets of the targeted ones.
#pragma once

#include <vector>

#include "vaeguard/attacks/registry.h"

namespace vaeguard::attacks {

/// For registry.cpp.
std::vector<GoalEntry> goal_table();

/// For each reference the row of its target, for a targeted goal made of these inputs; empty for other goals.
std::vector<std::int64_t> target_rows(std::string_view goal, const GoalInputs& inputs);

}  // namespace vaeguard::attacks
