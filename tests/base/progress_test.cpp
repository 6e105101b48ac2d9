// Counting over threads, and interruption before a chunk.
#include "vaeguard/base/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "vaeguard/base/parallel.h"

namespace vaeguard {
namespace {

class Recorder : public Observer {
 public:
  void progress(std::string_view task, std::int64_t done, std::int64_t total, std::string_view detail) override {
    EXPECT_EQ(task, "work");
    EXPECT_EQ(total, 10);
    EXPECT_EQ(detail, "half");
    done_.push_back(done);
  }
  [[nodiscard]] bool interrupted() const override { return std::ssize(done_) >= stop_after_; }

  std::vector<std::int64_t> done_;
  std::int64_t stop_after_ = 100;
};

TEST(Progress, CountsTheUnitsOfAllThreadsInOrder) {
  Recorder recorder;
  Progress progress(recorder, "work", 10);
  parallel_chunks(10, 3, 3, [&](std::int64_t, std::int64_t count) {
    progress.pause_for_interruption();
    progress.advance(count, "half");
  });
  ASSERT_EQ(recorder.done_.size(), 4U);
  EXPECT_TRUE(std::ranges::is_sorted(recorder.done_));
  EXPECT_EQ(recorder.done_.back(), 10);
}

TEST(Progress, StopsBeforeTheNextChunkWhenAsked) {
  Recorder recorder;
  recorder.stop_after_ = 2;
  Progress progress(recorder, "work", 10);
  const auto work = [&](std::int64_t, std::int64_t count) {
    progress.pause_for_interruption();
    progress.advance(count, "half");
  };
  EXPECT_THROW(parallel_chunks(10, 1, 1, work), Interrupted);
  EXPECT_THAT(recorder.done_, testing::ElementsAre(1, 2));
}

}  // namespace
}  // namespace vaeguard
