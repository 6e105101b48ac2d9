// The sum, one slice of the parameters at a time.
#include "vaeguard/training/chunk_sum.h"

#include <algorithm>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"

namespace vaeguard::training {
namespace {

// Parameters that one thread adds up at a time; does not affect the result.
constexpr std::int64_t kParameters = 1 << 15;

}  // namespace

std::span<const float> sum_chunks(std::span<std::vector<float>> gradients, float scale, int threads) {
  const auto fits = [&](const std::vector<float>& one) { return one.size() == gradients.front().size(); };
  if (gradients.empty() || !std::ranges::all_of(gradients, fits)) {
    misuse("training.chunk_sum", "one gradient or more of one size are needed, got {} of unequal sizes or none",
           gradients.size());
  }
  std::vector<float>& sum = gradients.front();
  parallel_chunks(std::ssize(sum), kParameters, threads, [&](std::int64_t first, std::int64_t size) {
    for (std::int64_t i = first; i < first + size; ++i) {
      const auto at = static_cast<std::size_t>(i);
      float total = sum[at];
      for (const std::vector<float>& more : gradients.subspan(1)) {
        total += more[at];
      }
      sum[at] = total * scale;
    }
  });
  return sum;
}

}  // namespace vaeguard::training
