// The smallest radii at which an attack succeeds, as records tell of them.
#pragma once

#include "vaeguard/attacks/smallest_radius.h"
#include "vaeguard/measures/record.h"
#include "vaeguard/plans/smallest_plan.h"

namespace vaeguard::measures {

/// Of each reference the smallest of its restarts counts. Measurements: smallest_radius under the protocols
/// median/worst, median_low/worst and median_high/worst (its 95 % interval, metrics/quantile.h), lower_quartile/worst
/// and upper_quartile/worst, infinite where so many references hold out; radius_reached, the share that does not;
/// success_distance where success is that of the reconstruction, and success_draws where it is that of drawn codes.
/// Items: smallest_radius of each restart. `prototype` gives cell, dataset and model.
CellRecords measure_smallest(const plans::SmallestPlan& plan, const attacks::SmallestRadii& found,
                             Measurement prototype);

}  // namespace vaeguard::measures
