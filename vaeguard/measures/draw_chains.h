// The draws that a defence kept of one image, chain by chain.
#pragma once

#include <cstdint>
#include <vector>

#include "vaeguard/defences/defence.h"

namespace vaeguard::measures {

/// The draws of image `row` out of inference.draws, [n, dimension] for each of its chains; all chains kept as many, and
/// those that a chain ended without are left out.
std::vector<Matrix> draw_chains(const defences::Inference& inference, std::int64_t row, std::int64_t dimension);

}  // namespace vaeguard::measures
