// The processor's measured peak of fused multiply-adds, the upper limit of any arithmetic's speed.
#pragma once

#include <string_view>

namespace vaeguard::cli {

/// The widest vectors of this processor that the measurement has code for: "avx512f", "avx2", "generic".
std::string_view fma_vectors();

/// GFLOP/s in float on `threads` threads together (a multiply-add is two), the best of many short repeats; meaningless
/// if other programs keep the processors busy. Takes about a tenth of a second.
double fma_peak_gflops(int threads);

}  // namespace vaeguard::cli
