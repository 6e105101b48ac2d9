// Distortion-distortion curves: the distance to the target that is left, against the change of the image.
#pragma once

#include <optional>
#include <vector>

#include "vaeguard/reports/chart.h"
#include "vaeguard/reports/run_records.h"
#include "vaeguard/reports/table.h"

namespace vaeguard::reports {

/// The area under the curve of each model and attack, and the distance left at a tenth, a quarter, half and all of the
/// way; none if a run has no such cells.
std::optional<Table> distortion_table(const RunRecords& records);

/// One chart per attack, one curve per model.
std::vector<Chart> distortion_charts(const RunRecords& records);

}  // namespace vaeguard::reports
