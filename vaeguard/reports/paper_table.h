// What the paper prints, to be laid beside a run's own numbers.
#pragma once

#include <optional>

#include "vaeguard/reports/run_records.h"
#include "vaeguard/reports/table.h"

namespace vaeguard::reports {

/// What Table 2 of the paper prints for the run's data set, if there is one and the paper has it.
std::optional<Table> paper_table(const RunRecords& records);

}  // namespace vaeguard::reports
