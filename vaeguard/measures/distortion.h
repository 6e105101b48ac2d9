// Records of distortion-distortion curves.
#pragma once

#include <span>

#include "vaeguard/attacks/distortion_curve.h"
#include "vaeguard/measures/record.h"
#include "vaeguard/plans/attack_plan.h"

namespace vaeguard::measures {

/// Measurements for the mean and the worst of restarts (the worst of several curves is their lower envelope): auddc,
/// and remaining_distance at each twentieth of the distance to the target image, under the norm "l2_share" with that
/// share as the radius. Items: auddc of each restart. `prototype` gives kind, cell, dataset, model, attacker and
/// defence.
CellRecords measure_distortion(const plans::AttackPlan& attack, std::span<const attacks::DistortionCurve> curves,
                               Measurement prototype);

}  // namespace vaeguard::measures
