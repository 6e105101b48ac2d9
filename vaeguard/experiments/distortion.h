// Distortion-distortion curves, as a plan asks for them and as records tell of them.
#pragma once

#include <span>

#include "vaeguard/attacks/distortion_curve.h"
#include "vaeguard/experiments/attack_plan.h"
#include "vaeguard/experiments/store.h"

namespace vaeguard::experiments {

/// Reads a [[distortion]] table: a goal that is a negative distance to a target, the options of lbfgs, restarts, no
/// norm (it is l2). Throws Misuse that names place, key, expectation and finding.
AttackPlan read_distortion(TableReader reader);

/// Measurements under the protocols mean/mean and mean/worst (of restarts; for a curve the lower at each place): auddc,
/// and remaining_distance at each twentieth of the way to the target image, under the norm "l2_share" whose radius is
/// that share. Items: auddc of each restart. `prototype` gives cell, dataset and model.
CellRecords measure_distortion(const AttackPlan& attack, std::span<const attacks::DistortionCurve> curves,
                               Measurement prototype);

}  // namespace vaeguard::experiments
