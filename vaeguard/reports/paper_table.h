// The paper's printed numbers, for comparison with a run's own.
#pragma once

#include <optional>

#include "vaeguard/reports/run_records.h"
#include "vaeguard/reports/table.h"

namespace vaeguard::reports {

/// The numbers of the paper's Table 2 for the run's data set, if the run has a single one and the paper covers it.
std::optional<Table> paper_table(const RunRecords& records);

}  // namespace vaeguard::reports
