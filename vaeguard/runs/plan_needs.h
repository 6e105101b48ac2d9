// What a plan asks for by name and not every model or data set has: classes.
#pragma once

#include <string_view>

#include "vaeguard/data/dataset.h"
#include "vaeguard/plans/plan.h"

namespace vaeguard::runs {

/// Throws Misuse that names the attack, where one needs a classifier and the model has none, or imitates images of
/// another label and the data have none. What is only measured where it can be is left out of records instead.
void check_needs(const plans::Plan& plan, std::string_view model, bool has_classifier, const data::Dataset& dataset);

}  // namespace vaeguard::runs
