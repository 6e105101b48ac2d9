// Checks what a plan needs and not every model has: a latent classifier.
#pragma once

#include <string_view>

#include "vaeguard/plans/plan.h"

namespace vaeguard::runs {

/// Throws Misuse, naming the attack, if an attack needs a classifier that the model lacks. Metrics that cannot be
/// measured are left out of the records instead.
void check_needs(const plans::Plan& plan, std::string_view model, bool has_classifier);

}  // namespace vaeguard::runs
