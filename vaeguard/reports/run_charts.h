// The charts of a run: posterior ratios before and after a defence, quality against gradients, and chain statistics.
#pragma once

#include <optional>
#include <vector>

#include "vaeguard/reports/chart.h"
#include "vaeguard/reports/run_records.h"
#include "vaeguard/reports/table.h"

namespace vaeguard::reports {

/// Histograms of the log posterior ratio, one chart per attacked scenario, as in the paper's figure 2: of one draw, or
/// else of the estimate that was kept.
std::vector<Chart> posterior_ratio_charts(const RunRecords& records);

/// Curves of each metric against the gradients spent on an image, with 95 % bands, one chart per metric and scenario.
std::vector<Chart> curve_charts(const RunRecords& records);

/// The quality that each defence reaches against its milliseconds per image.
std::vector<Chart> cost_charts(const RunRecords& records);

/// Distributions of acceptance and step size over all chains of each defence.
std::vector<Chart> chain_charts(const RunRecords& records);

/// Acceptance, step size and divergences of each cell that has chains.
std::optional<Table> chain_table(const RunRecords& records);

}  // namespace vaeguard::reports
