// The smallest radii at which an attack succeeds, as records tell of them.
#pragma once

#include "vaeguard/attacks/smallest_radius.h"
#include "vaeguard/measures/record.h"
#include "vaeguard/plans/smallest_plan.h"

namespace vaeguard::measures {

/// Of each reference the smallest of its restarts counts. Measurements: smallest_radius with the quantiles
/// median, median_low and median_high (its 95 % interval, metrics/quantile.h), lower_quartile and upper_quartile,
/// infinite where so many references hold out; radius_reached, the share that does not; success_distance where success
/// is that of the reconstruction, and success_draws where it is that of drawn codes. Items: smallest_radius of each
/// restart. `prototype` gives kind, cell, dataset, model, attacker and defence.
CellRecords measure_smallest(const plans::SmallestPlan& plan, const attacks::SmallestRadii& found,
                             Measurement prototype);

}  // namespace vaeguard::measures
