// Work over independent chunks on several threads; the result never depends on how many.
#pragma once

#include <cstdint>
#include <functional>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/matrix_view.h"

namespace vaeguard {

/// Calls work(first, count) for chunks of at most `chunk` rows that cover 0 .. total, on `threads` threads.
/// Chunks are the same for every number of threads. The first exception is rethrown once all threads have stopped.
void parallel_chunks(std::int64_t total, std::int64_t chunk, int threads,
                     const std::function<void(std::int64_t first, std::int64_t count)>& work);

/// The chunk size for rows that do not depend on each other: at most `most`, less where that keeps all threads busy.
std::int64_t row_chunk(std::int64_t rows, std::int64_t most, int threads);

/// Fills `outputs` chunk by chunk: `work` takes at most 64 rows of `inputs`, which bounds its memory, and gives the
/// same rows of `outputs` (resized by it). For rows that do not depend on each other.
void map_rows(const MatrixView& inputs, int threads, Matrix& outputs,
              const std::function<void(const Matrix& inputs, Matrix& outputs)>& work);

/// The number of threads to use: `wanted` if positive, else VAEGUARD_THREADS, else one per processor of this machine.
int thread_count(int wanted = 0);

}  // namespace vaeguard
