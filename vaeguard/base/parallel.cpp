// Chunked parallel loops on plain threads.
#include "vaeguard/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard {

void parallel_chunks(std::int64_t total, std::int64_t chunk, int threads,
                     const std::function<void(std::int64_t, std::int64_t)>& work) {
  if (chunk < 1) {
    misuse("base.parallel", "chunk must be at least 1, got {}", chunk);
  }
  std::atomic<std::int64_t> next{0};
  std::exception_ptr error;
  std::mutex error_mutex;
  const auto worker = [&] {
    for (std::int64_t first = next.fetch_add(chunk); first < total; first = next.fetch_add(chunk)) {
      try {
        work(first, std::min(chunk, total - first));
      } catch (...) {
        const std::scoped_lock lock(error_mutex);
        if (!error) {
          error = std::current_exception();
        }
        next = total;
      }
    }
  };
  const std::int64_t chunks = (total + chunk - 1) / chunk;
  {
    std::vector<std::jthread> helpers;
    for (std::int64_t i = 1; i < std::min<std::int64_t>(threads, chunks); ++i) {
      helpers.emplace_back(worker);
    }
    worker();
  }
  if (error) {
    std::rethrow_exception(error);
  }
}

std::int64_t row_chunk(std::int64_t rows, std::int64_t most, int threads) {
  const std::int64_t share = (rows + threads - 1) / threads;
  return std::clamp<std::int64_t>(share, 1, most);
}

void map_rows(const MatrixView& inputs, int threads, Matrix& outputs,
              const std::function<void(const Matrix&, Matrix&)>& work) {
  constexpr std::int64_t kRowsAtOnce = 64;
  parallel_chunks(inputs.rows(), row_chunk(inputs.rows(), kRowsAtOnce, threads), threads,
                  [&](std::int64_t first, std::int64_t count) {
                    Matrix some;
                    work(inputs.slice(first, count).copy(), some);
                    outputs.assign(first, some);
                  });
}

int thread_count(int wanted) {
  if (wanted > 0) {
    return wanted;
  }
  if (const char* text = std::getenv("VAEGUARD_THREADS"); text != nullptr && std::atoi(text) > 0) {
    return std::atoi(text);
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace vaeguard
