// Runs one attack of a plan on all references and restarts: at a radius, at the smallest one, or for all distortions.
#pragma once

#include <optional>
#include <vector>

#include "vaeguard/attacks/attack.h"
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

/// The area under the distortion-distortion curve of each reference and restart (attacks/lbfgs.h), by the sweep of the
/// attack's options where it is lbfgs. x is relative to the distance between reference and target image, y to the
/// objective without an attack. Throws Misuse unless the goal is targeted and a negative distance: latent_* or
/// output_target_l2.
std::vector<double> run_distortion_areas(const AttackPlan& attack, std::uint64_t seed, const Subject& subject,
                                         const References& references, int threads);

/// For each reference the row of its target; empty where the goal has none.
std::vector<std::int64_t> attack_targets(const AttackPlan& attack, std::uint64_t seed, const Subject& subject,
                                         const References& references);

}  // namespace vaeguard::experiments
