// The draws that a defence kept for one image, chain by chain.
#pragma once

#include <cstdint>
#include <vector>

#include "vaeguard/defences/defence.h"

namespace vaeguard::measures {

/// The draws of image `row` from inference.draws, [n, dimension] for each of its chains. inference.draws has the same
/// room for each chain; what a chain that ended early did not fill is left out.
std::vector<Matrix> draw_chains(const defences::Inference& inference, std::int64_t row, std::int64_t dimension);

}  // namespace vaeguard::measures
