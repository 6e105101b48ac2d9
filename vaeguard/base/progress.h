// Work done by several threads, counted for an observer.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "vaeguard/base/observer.h"

namespace vaeguard {

/// Counts units of one task; safe to call from several threads.
class Progress {
 public:
  Progress(Observer& observer, std::string_view task, std::int64_t total)
      : observer_(observer), task_(task), total_(total) {}
  /// Throws Interrupted if the observer asks for it. Call it before each chunk of work.
  void pause_for_interruption();
  /// Counts `units` more as done.
  void advance(std::int64_t units, std::string_view detail = "");

 private:
  Observer& observer_;
  std::string task_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  std::mutex mutex_;
};

}  // namespace vaeguard
