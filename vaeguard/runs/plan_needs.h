// Checks what a plan needs and not every model or data set has: classes.
#pragma once

#include <string_view>

#include "vaeguard/data/dataset.h"
#include "vaeguard/plans/plan.h"

namespace vaeguard::runs {

/// Throws Misuse, naming the attack, if an attack needs a classifier that the model lacks, or imitates images of
/// another label although the data have no labels. Metrics that cannot be measured are left out of the records instead.
void check_needs(const plans::Plan& plan, std::string_view model, bool has_classifier, const data::Dataset& dataset);

}  // namespace vaeguard::runs
