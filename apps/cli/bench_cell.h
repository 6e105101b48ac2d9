// Speed of the cells that hierarchical VAEs are built of: inverted residuals with squeeze and excite.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vaeguard::cli {

/// Gradients per second (a forward and a backward pass to the input) of one cell with 128 channels on 8 x 8 positions
/// and with 64 on 16 x 16, for 10 and 100 images, and their share of the processor's peak. With a peer script also the
/// peer's and the ratios, beside its plain cell and beside the one with batch normalisations, which ours have folded
/// away. The fastest of several passes counts for both. Throws Failure before any speed is told where outputs or
/// gradients differ from the double-precision reference.
nlohmann::ordered_json bench_cell(int threads, double seconds, const std::string& peer);

}  // namespace vaeguard::cli
