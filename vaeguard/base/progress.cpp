// A counter and its observer behind one lock.
#include "vaeguard/base/progress.h"

namespace vaeguard {

void Progress::pause_for_interruption() {
  const std::scoped_lock lock(mutex_);
  if (observer_.interrupted()) {
    throw Interrupted();
  }
}

void Progress::advance(std::int64_t units, std::string_view detail) {
  const std::scoped_lock lock(mutex_);
  observer_.progress(task_, done_ += units, total_, detail);
}

}  // namespace vaeguard
