// Work over independent chunks on several threads; the result never depends on how many.
#pragma once

#include <cstdint>
#include <functional>

namespace vaeguard {

/// Calls work(first, count) for chunks of at most `chunk` rows that cover 0 .. total, on `threads` threads.
/// Chunks are the same for every number of threads. The first exception is thrown again here, after all have stopped.
void parallel_chunks(std::int64_t total, std::int64_t chunk, int threads,
                     const std::function<void(std::int64_t first, std::int64_t count)>& work);

/// A chunk for rows that do not depend on each other: at most `most` of them, fewer where that keeps all threads busy.
std::int64_t row_chunk(std::int64_t rows, std::int64_t most, int threads);

/// The number of threads to use: `wanted` if positive, else VAEGUARD_THREADS, else the processors of this machine.
int thread_count(int wanted = 0);

}  // namespace vaeguard
