// Gradients of a mini-batch's chunks, added up in a fixed order on several threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vaeguard::training {

/// Rows that one thread takes at a time. Part of the result: sums of gradients are formed chunk by chunk.
inline constexpr std::int64_t kChunkRows = 16;

/// Chunks of so many rows, the last one perhaps smaller.
constexpr std::int64_t chunks_of(std::int64_t rows) { return (rows + kChunkRows - 1) / kChunkRows; }

/// scale (((g_0 + g_1) + g_2) + ...) of `gradients` [chunks, parameters], written to the first and returned: the same
/// bits for any number of threads. Throws Misuse unless there is at least one and all have the same size.
std::span<const float> sum_chunks(std::span<std::vector<float>> gradients, float scale, int threads);

}  // namespace vaeguard::training
