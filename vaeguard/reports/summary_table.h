// The tables of a run: attacks, radii and defences, or models, in rows; metrics in columns.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vaeguard/reports/run_records.h"
#include "vaeguard/reports/table.h"

namespace vaeguard::reports {

/// What the summary has a table of each: estimate and restarts of the measurements, "mean/worst", or score and
/// restarts, "energy_drop/mean"; "mean/mean" first if it is there.
std::vector<std::string> protocols(const RunRecords& records);

/// The summary for one protocol ("mean/worst"). A metric not measured under it is shown as "–", with two exceptions:
/// without an attack there are no restarts, so any protocol with the same aggregation is used, or else any at all;
/// without a defence there are no draws, so any aggregation with the same count of restarts is used.
Table summary_table(const RunRecords& records, const std::string& protocol);

/// How strong each attack is before any defence: how far it moves the encoding and the image. Mean over restarts.
std::optional<Table> attack_table(const RunRecords& records);

/// What the model reaches on the test set, without attack.
std::optional<Table> model_table(const RunRecords& records);

}  // namespace vaeguard::reports
