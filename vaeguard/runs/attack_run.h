// Runs one attack of a plan on all references and restarts: at one radius, for smallest radii, or over distortions.
#pragma once

#include <vector>

#include "vaeguard/attacks/attack.h"
#include "vaeguard/attacks/distortion_curve.h"
#include "vaeguard/attacks/smallest_radius.h"
#include "vaeguard/measures/measure.h"
#include "vaeguard/plans/attack_plan.h"
#include "vaeguard/plans/smallest_plan.h"

namespace vaeguard::runs {

/// All references x restarts under one attack of the plan at one radius.
attacks::AttackResult run_attack(const plans::AttackPlan& attack, double radius, std::uint64_t seed,
                                 const measures::Subject& subject, const measures::References& references, int threads,
                                 Observer& observer);

/// For each reference and restart, the smallest radius, up to search.largest, at which the attack succeeds.
attacks::SmallestRadii run_smallest_radii(const plans::AttackPlan& attack, const plans::SmallestSearch& search,
                                          std::uint64_t seed, const measures::Subject& subject,
                                          const measures::References& references, int threads, Observer& observer);

/// The distortion-distortion curve of each reference and restart (attacks/distortion_curve.h), by the sweep in the
/// attack's options if its optimiser is lbfgs. Throws Misuse unless the goal is a negative distance to a target.
std::vector<attacks::DistortionCurve> run_distortion_curves(const plans::AttackPlan& attack, std::uint64_t seed,
                                                            const measures::Subject& subject,
                                                            const measures::References& references, int threads,
                                                            Observer& observer);

/// For each reference the row of its target; empty if the goal has no targets.
std::vector<std::int64_t> attack_targets(const plans::AttackPlan& attack, std::uint64_t seed,
                                         const measures::Subject& subject, const measures::References& references);

}  // namespace vaeguard::runs
