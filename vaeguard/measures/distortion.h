// Distortion-distortion curves, as records tell of them.
#pragma once

#include <span>

#include "vaeguard/attacks/distortion_curve.h"
#include "vaeguard/measures/record.h"
#include "vaeguard/plans/attack_plan.h"

namespace vaeguard::measures {

/// Measurements of the mean and the worst of restarts (for a curve the lower at each place): auddc, and
/// remaining_distance at each twentieth of the way to the target image, under the norm "l2_share" whose radius is that
/// share. Items: auddc of each restart. `prototype` gives kind, cell, dataset, model, attacker and defence.
CellRecords measure_distortion(const plans::AttackPlan& attack, std::span<const attacks::DistortionCurve> curves,
                               Measurement prototype);

}  // namespace vaeguard::measures
