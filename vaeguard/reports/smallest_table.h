// Smallest radii as a table: how far an attacker of the undefended model must go.
#pragma once

#include <optional>

#include "vaeguard/reports/run_records.h"
#include "vaeguard/reports/table.h"

namespace vaeguard::reports {

/// A row a cell: median with its interval, quartiles, and the share of references that the attack reached at all.
/// Radii beyond the largest one that was tried are shown as such.
std::optional<Table> smallest_table(const RunRecords& records);

}  // namespace vaeguard::reports
