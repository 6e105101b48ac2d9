// Runs one attack of a plan on all references and restarts.
#pragma once

#include "vaeguard/attacks/attack.h"
#include "vaeguard/experiments/attack_plan.h"
#include "vaeguard/experiments/measure.h"

namespace vaeguard::experiments {

/// All references x restarts under one attack of the plan at one radius.
attacks::AttackResult run_attack(const AttackPlan& attack, double radius, std::uint64_t seed, const Subject& subject,
                                 const References& references, int threads, Observer& observer);

}  // namespace vaeguard::experiments
