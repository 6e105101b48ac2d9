// Records of the smallest radii at which an attack succeeds.
#pragma once

#include "vaeguard/attacks/smallest_radius.h"
#include "vaeguard/measures/record.h"
#include "vaeguard/plans/smallest_plan.h"

namespace vaeguard::measures {

/// For each reference the smallest radius over its restarts counts. Measurements: smallest_radius with the quantiles
/// median, median_low and median_high (its 95 % interval, metrics/quantile.h), lower_quartile and upper_quartile,
/// infinite if too many references resist every radius; radius_reached, the share of references that do not;
/// success_distance if success is judged by the reconstruction, and success_draws if by drawn codes. Items:
/// smallest_radius of each restart. `prototype` gives kind, cell, dataset, model, attacker and defence.
CellRecords measure_smallest(const plans::SmallestPlan& plan, const attacks::SmallestRadii& found,
                             Measurement prototype);

}  // namespace vaeguard::measures
