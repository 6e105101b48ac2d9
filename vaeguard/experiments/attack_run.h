// Runs one attack of a plan on all references and restarts: at a radius, at the smallest one, or for all distortions.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "vaeguard/attacks/attack.h"
#include "vaeguard/attacks/distortion_curve.h"
#include "vaeguard/attacks/smallest_radius.h"
#include "vaeguard/attacks/success.h"
#include "vaeguard/experiments/attack_plan.h"
#include "vaeguard/experiments/measure.h"

namespace vaeguard::experiments {

/// All references x restarts under one attack of the plan at one radius.
attacks::AttackResult run_attack(const AttackPlan& attack, double radius, std::uint64_t seed, const Subject& subject,
                                 const References& references, int threads, Observer& observer);

/// What smallest radii are sought.
struct SmallestSearch {
  double largest = 0.0;
  std::int64_t steps = 8;                        // halvings
  double enough = 0.0;                           // success is an objective above this, where there is no other rule
  std::optional<attacks::Success> success = {};  // with the draws of the attack's plan
};

/// The smallest radius up to the largest one at which the attack succeeds, of each reference and restart.
attacks::SmallestRadii run_smallest_radii(const AttackPlan& attack, const SmallestSearch& search, std::uint64_t seed,
                                          const Subject& subject, const References& references, int threads,
                                          Observer& observer);

/// Throws Misuse unless the goal is a negative distance to a target, latent_* or output_target_l2.
void check_distance_goal(std::string_view goal, std::string_view place);

/// The distortion-distortion curve of each reference and restart (attacks/distortion_curve.h), by the sweep of the
/// attack's options where it is lbfgs. Throws Misuse as above.
std::vector<attacks::DistortionCurve> run_distortion_curves(const AttackPlan& attack, std::uint64_t seed,
                                                            const Subject& subject, const References& references,
                                                            int threads, Observer& observer);

/// For each reference the row of its target; empty where the goal has none.
std::vector<std::int64_t> attack_targets(const AttackPlan& attack, std::uint64_t seed, const Subject& subject,
                                         const References& references);

}  // namespace vaeguard::experiments
