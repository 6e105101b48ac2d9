// Distortion-distortion curves as data, read from a plan.
#pragma once

#include <string_view>

#include "vaeguard/plans/attack_plan.h"

namespace vaeguard::plans {

/// Reads a [[distortion]] table: a goal that is a negative distance to a target, the options of lbfgs, restarts; no
/// norm, since it is always l2, and no pixel budget. Throws Misuse, naming place, key, expectation and value.
AttackPlan read_distortion(OptionReader reader);

/// Throws Misuse unless the goal is a negative distance to a target: latent_* or output_target_l2.
void check_distance_goal(std::string_view goal, std::string_view place);
/// Throws Misuse unless the attack's pixel budget is the plain one.
void check_all_pixels_move(const AttackPlan& attack, std::string_view place);

}  // namespace vaeguard::plans
