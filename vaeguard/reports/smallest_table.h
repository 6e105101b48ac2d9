// Smallest radii as a table: how far an attacker of the undefended model must go.
#pragma once

#include <optional>

#include "vaeguard/reports/run_records.h"
#include "vaeguard/reports/table.h"

namespace vaeguard::reports {

/// One row per cell: median with its interval, quartiles, and the share of references on which the attack succeeded at
/// all. Radii beyond the largest one that was tried are shown as such.
std::optional<Table> smallest_table(const RunRecords& records);

}  // namespace vaeguard::reports
