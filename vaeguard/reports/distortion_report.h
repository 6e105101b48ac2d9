// Distortion-distortion curves: how much of its distance to the target an attack has left for how much change.
#pragma once

#include <optional>
#include <vector>

#include "vaeguard/reports/chart.h"
#include "vaeguard/reports/run_records.h"
#include "vaeguard/reports/table.h"

namespace vaeguard::reports {

/// The area under the curve of each model and attack, and what is left at a tenth, a quarter, half and all of the way;
/// none where a run has no such cells.
std::optional<Table> distortion_table(const RunRecords& records);

/// One chart an attack, a curve a model.
std::vector<Chart> distortion_charts(const RunRecords& records);

}  // namespace vaeguard::reports
