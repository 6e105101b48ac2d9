// Independent chains of fused multiply-adds that never leave the registers, for each width of vectors.
#include "apps/cli/fma_peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

namespace vaeguard::cli {
namespace {

// Enough chains to hide a latency of 4 to 6 cycles behind two multiply-adds per cycle, few enough for 16 registers.
constexpr int kChains = 12;

// `rounds` times sums = sums * factor + summand over all chains; gives a number that depends on every one of them.
using Burst = float (*)(std::int64_t rounds, float factor, float summand);

#if defined(__x86_64__)
__attribute__((target("avx512f"))) float burst_avx512(std::int64_t rounds, float factor, float summand) {
  const __m512 multiplier = _mm512_set1_ps(factor);
  const __m512 addend = _mm512_set1_ps(summand);
  __m512 sums[kChains];
  for (int c = 0; c < kChains; ++c) {
    sums[c] = _mm512_set1_ps(static_cast<float>(c));
  }
  for (std::int64_t r = 0; r < rounds; ++r) {
    for (int c = 0; c < kChains; ++c) {
      sums[c] = _mm512_fmadd_ps(sums[c], multiplier, addend);
    }
  }
  for (int c = 1; c < kChains; ++c) {
    sums[0] = _mm512_add_ps(sums[0], sums[c]);
  }
  return _mm512_cvtss_f32(sums[0]);
}

__attribute__((target("avx2,fma"))) float burst_avx2(std::int64_t rounds, float factor, float summand) {
  const __m256 multiplier = _mm256_set1_ps(factor);
  const __m256 addend = _mm256_set1_ps(summand);
  __m256 sums[kChains];
  for (int c = 0; c < kChains; ++c) {
    sums[c] = _mm256_set1_ps(static_cast<float>(c));
  }
  for (std::int64_t r = 0; r < rounds; ++r) {
    for (int c = 0; c < kChains; ++c) {
      sums[c] = _mm256_fmadd_ps(sums[c], multiplier, addend);
    }
  }
  for (int c = 1; c < kChains; ++c) {
    sums[0] = _mm256_add_ps(sums[0], sums[c]);
  }
  return _mm256_cvtss_f32(sums[0]);
}
#endif

// Four floats per vector, SSE or NEON; a multiply and an add if the baseline has no fused one.
float burst_generic(std::int64_t rounds, float factor, float summand) {
  using Vector [[gnu::vector_size(16)]] = float;
  Vector sums[kChains];
  for (int c = 0; c < kChains; ++c) {
    sums[c] = Vector{} + static_cast<float>(c);
  }
  for (std::int64_t r = 0; r < rounds; ++r) {
    for (int c = 0; c < kChains; ++c) {
      sums[c] = sums[c] * factor + summand;
    }
  }
  for (int c = 1; c < kChains; ++c) {
    sums[0] += sums[c];
  }
  return sums[0][0];
}

struct Width {
  std::string_view name;
  int floats;
  Burst burst;
};

Width widest() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    return {"avx512f", 16, burst_avx512};
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return {"avx2", 8, burst_avx2};
  }
#endif
  return {"generic", 4, burst_generic};
}

// The best of a few repeats on a team of threads that begin and end each one together, in seconds.
double best_seconds(Burst burst, std::int64_t rounds, int threads) {
  using Clock = std::chrono::steady_clock;
  constexpr int kRepeats = 6;
  std::vector<Clock::time_point> times;  // when all had arrived, before and after each repeat
  times.reserve(2 * kRepeats);
  std::barrier together(threads, [&times]() noexcept { times.push_back(Clock::now()); });
  std::atomic<float> sink{0.0F};  // keeps the sums alive
  const auto work = [&] {
    for (int repeat = 0; repeat < kRepeats; ++repeat) {
      together.arrive_and_wait();
      // 0.5 and 0.25 lead every sum to 0.5: neither overflow nor denormal numbers.
      sink = burst(rounds, 0.5F, 0.25F);
      together.arrive_and_wait();
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (int t = 1; t < threads; ++t) {
      helpers.emplace_back(work);
    }
    work();
  }
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < times.size(); i += 2) {
    best = std::min(best, std::chrono::duration<double>(times[i + 1] - times[i]).count());
  }
  return best;
}

}  // namespace

std::string_view fma_vectors() { return widest().name; }

double fma_peak_gflops(int threads) {
  constexpr int kTeams = 4;  // a team may land on fewer processors than threads; the next is placed anew
  constexpr std::int64_t kRounds = 1'000'000;  // a few milliseconds: long beside a barrier, short beside a time slice
  const Width width = widest();
  double seconds = std::numeric_limits<double>::infinity();
  for (int team = 0; team < kTeams; ++team) {
    seconds = std::min(seconds, best_seconds(width.burst, kRounds, threads));
  }
  return 2.0 * width.floats * kChains * static_cast<double>(kRounds) * threads / seconds / 1e9;
}

}  // namespace vaeguard::cli
