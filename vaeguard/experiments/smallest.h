// The smallest radii at which an attack succeeds, as a plan asks for them and as records tell of them.
#pragma once

#include "vaeguard/experiments/attack_run.h"
#include "vaeguard/experiments/store.h"

namespace vaeguard::experiments {

struct SmallestPlan {
  AttackPlan attack;  // without radii and defences
  SmallestSearch search;
};

/// Reads a [[smallest]] table. Throws Misuse that names place, key, expectation and finding.
SmallestPlan read_smallest(TableReader reader);

/// Of each reference the smallest of its restarts counts. Measurements: smallest_radius under the protocols
/// median/worst, median_low/worst and median_high/worst (its 95 % interval, metrics/quantile.h), lower_quartile/worst
/// and upper_quartile/worst, infinite where so many references hold out; radius_reached, the share that does not;
/// success_distance where success is that of the reconstruction, and success_draws where it is that of drawn codes.
/// Items: smallest_radius of each restart. `prototype` gives cell, dataset and model.
CellRecords measure_smallest(const SmallestPlan& plan, const attacks::SmallestRadii& found, Measurement prototype);

}  // namespace vaeguard::experiments
