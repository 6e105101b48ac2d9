// The arrays behind one cell's pictures, put together from what the run keeps once for several cells.
#pragma once

#include "vaeguard/base/npz.h"
#include "vaeguard/reports/run_records.h"
#include "vaeguard/reports/scenario.h"

namespace vaeguard::reports {

/// What the run's folder holds of a cell, one row for each restart of each reference: x_ref, rec_ref, z_ref, index and,
/// where there are classes, label of the references; x_adv, rec_adv, z_adv of the attack, those of the references where
/// nothing is attacked; and the arrays of the cell itself. Empty where no arrays were kept of it. Throws Misuse where
/// files do not belong together.
NpzArrays cell_arrays(const RunRecords& records, const Scenario& scenario, const Cell& cell);

}  // namespace vaeguard::reports
