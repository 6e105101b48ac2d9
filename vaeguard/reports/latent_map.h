// The picture of a two-dimensional latent space: where codes go under attack and defence, as in the paper's figure 1.
#pragma once

#include <vector>

#include "vaeguard/reports/chart.h"
#include "vaeguard/reports/run_records.h"

namespace vaeguard::reports {

/// One chart for each attacked scenario and defence of each model with two latents, with the first reference of each
/// class and its first restart. Empty if no model of the run has two latents.
std::vector<Chart> latent_map_charts(const RunRecords& records);

}  // namespace vaeguard::reports
