// The picture of a latent space of two dimensions: where codes go under attack and defence, as in the paper's figure 1.
#pragma once

#include <vector>

#include "vaeguard/reports/chart.h"
#include "vaeguard/reports/run_records.h"

namespace vaeguard::reports {

/// One chart for each attacked scenario and defence of each model with two latents, with at most `most` references,
/// evenly spaced over their list, the first restart of each. Empty where no model of the run has two latents.
std::vector<Chart> latent_map_charts(const RunRecords& records, std::int64_t most = 10);

}  // namespace vaeguard::reports
