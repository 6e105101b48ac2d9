// The summary of a run: attacks, radii and defences down, metrics across, for one way of counting draws and restarts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vaeguard/reports/run_records.h"
#include "vaeguard/reports/table.h"

namespace vaeguard::reports {

/// The protocols in the records, "mean/mean" first if it is there.
std::vector<std::string> protocols(const RunRecords& records);

/// The summary for one protocol ("mean/worst"). A metric not measured under it is shown as "–", except without attack,
/// where there are no restarts and any protocol with the same aggregation, then any at all, stands in; and without
/// defence, where there are no draws and any aggregation with the same count of restarts does.
Table summary_table(const RunRecords& records, const std::string& protocol);

/// How strong each attack is before any defence: how far it moves the encoding and the image. Mean over restarts.
std::optional<Table> attack_table(const RunRecords& records);

/// What the model reaches on the test set, without attack.
std::optional<Table> model_table(const RunRecords& records);

}  // namespace vaeguard::reports
