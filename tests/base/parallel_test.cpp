// Chunked parallel loops: coverage, the same chunks for any number of threads, errors and the choice of threads.
#include "vaeguard/base/parallel.h"

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <set>
#include <stdexcept>
#include <utility>

#include "tests/expect_misuse.h"

namespace vaeguard {
namespace {

using Chunks = std::set<std::pair<std::int64_t, std::int64_t>>;

Chunks chunks_of(std::int64_t total, std::int64_t chunk, int threads) {
  Chunks chunks;
  std::mutex mutex;
  parallel_chunks(total, chunk, threads, [&](std::int64_t first, std::int64_t count) {
    const std::scoped_lock lock(mutex);
    EXPECT_TRUE(chunks.emplace(first, count).second);
  });
  return chunks;
}

TEST(Parallel, ChunksAreTheSameForAnyNumberOfThreads) {
  const Chunks expected = {{0, 4}, {4, 4}, {8, 2}};
  for (const int threads : {1, 2, 3, 8}) {
    EXPECT_EQ(chunks_of(10, 4, threads), expected);
  }
}

TEST(Parallel, NothingToDoCallsNothing) { EXPECT_TRUE(chunks_of(0, 4, 2).empty()); }

TEST(Parallel, RefusesChunksWithoutRows) {
  expect_misuse([] { parallel_chunks(4, 0, 1, [](std::int64_t, std::int64_t) {}); }, {"at least 1", "got 0"});
}

TEST(Parallel, ThrowsTheErrorOfAThreadAndStops) {
  std::atomic<int> calls{0};
  const auto work = [&](std::int64_t first, std::int64_t) {
    ++calls;
    if (first == 0) {
      throw std::runtime_error("first chunk");
    }
  };
  EXPECT_THROW(parallel_chunks(1'000'000, 1, 2, work), std::runtime_error);
  EXPECT_LT(calls, 1'000'000);
}

class ThreadCount : public testing::Test {
 protected:
  void SetUp() override {
    const char* text = std::getenv("VAEGUARD_THREADS");
    before_ = text == nullptr ? "" : text;
  }
  void TearDown() override {
    before_.empty() ? ::unsetenv("VAEGUARD_THREADS") : ::setenv("VAEGUARD_THREADS", before_.c_str(), 1);
  }

 private:
  std::string before_;
};

TEST_F(ThreadCount, OptionWinsOverEnvironment) {
  ::setenv("VAEGUARD_THREADS", "3", 1);
  EXPECT_EQ(thread_count(5), 5);
  EXPECT_EQ(thread_count(), 3);
}

TEST_F(ThreadCount, IsAtLeastOneWithoutEither) {
  for (const char* text : {"", "none", "-2"}) {
    ::setenv("VAEGUARD_THREADS", text, 1);
    EXPECT_GE(thread_count(), 1);
  }
}

TEST(RowChunk, KeepsAllThreadsBusyAndStaysBelowItsLimit) {
  EXPECT_EQ(row_chunk(500, 16, 2), 16);
  EXPECT_EQ(row_chunk(10, 16, 2), 5);
  EXPECT_EQ(row_chunk(11, 16, 2), 6);
  EXPECT_EQ(row_chunk(1, 16, 4), 1);
  EXPECT_EQ(row_chunk(0, 16, 4), 1);
}

}  // namespace
}  // namespace vaeguard
