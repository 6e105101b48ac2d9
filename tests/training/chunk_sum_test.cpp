// Sums of chunks: their order, their scale, and the same bits on any number of threads.
#include "vaeguard/training/chunk_sum.h"

#include "tests/expect_misuse.h"
#include "vaeguard/base/random.h"

namespace vaeguard::training {
namespace {

using Gradients = std::vector<std::vector<float>>;

TEST(ChunkSum, AddsFromTheFirstChunkToTheLast) {
  // 1 is lost beside 1e8 in float, so the order shows.
  Gradients gradients{{1e8F, 1.0F}, {1.0F, -1e8F}, {-1e8F, 1e8F}};
  const std::span<const float> sum = sum_chunks(gradients, 0.5F, 1);
  EXPECT_EQ(sum[0], 0.0F);
  EXPECT_EQ(sum[1], 0.0F);
  Gradients reversed{{1e8F}, {-1e8F}, {1.0F}};
  EXPECT_EQ(sum_chunks(reversed, 0.5F, 1)[0], 0.5F);
}

TEST(ChunkSum, GivesTheSameBitsOnAnyNumberOfThreads) {
  constexpr std::size_t kParameters = 100'000;  // more than one thread takes at a time
  Gradients gradients(5, std::vector<float>(kParameters));
  for (std::size_t chunk = 0; chunk < gradients.size(); ++chunk) {
    fill_normal(Key(1).fold(chunk), gradients[chunk]);
  }
  std::vector<float> expected(kParameters);
  for (std::size_t i = 0; i < kParameters; ++i) {
    float total = gradients[0][i];
    for (std::size_t chunk = 1; chunk < gradients.size(); ++chunk) {
      total += gradients[chunk][i];
    }
    expected[i] = total / 8.0F;
  }
  for (const int threads : {1, 2, 3}) {
    Gradients own = gradients;
    const std::span<const float> sum = sum_chunks(own, 0.125F, threads);
    EXPECT_EQ(std::vector<float>(sum.begin(), sum.end()), expected) << threads;
  }
}

TEST(ChunkSum, LeavesOutChunksThatItIsNotGiven) {
  Gradients gradients{{1.0F}, {2.0F}, {4.0F}};
  EXPECT_EQ(sum_chunks(std::span(gradients).first(2), 1.0F, 1)[0], 3.0F);
  EXPECT_EQ(chunks_of(1), 1);
  EXPECT_EQ(chunks_of(2 * kChunkRows), 2);
  EXPECT_EQ(chunks_of(2 * kChunkRows + 1), 3);
}

TEST(ChunkSum, RefusesNothingAndUnequalSizes) {
  Gradients unequal{{1.0F}, {1.0F, 2.0F}};
  expect_misuse([] { static_cast<void>(sum_chunks({}, 1.0F, 1)); }, {"[training.chunk_sum]", "got 0"});
  expect_misuse([&] { static_cast<void>(sum_chunks(unequal, 1.0F, 1)); }, {"one size"});
}

}  // namespace
}  // namespace vaeguard::training
