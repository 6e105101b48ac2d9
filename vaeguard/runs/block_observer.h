// Shows the progress of one block of images as a share of the whole cell.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "vaeguard/base/observer.h"

namespace vaeguard::runs {

class BlockObserver : public Observer {
 public:
  /// The block is the `count` images from `first` on, of `total`.
  BlockObserver(Observer& parent, std::string task, std::int64_t first, std::int64_t count, std::int64_t total)
      : parent_(parent), task_(std::move(task)), first_(first), count_(count), total_(total) {}
  void progress(std::string_view /*task*/, std::int64_t done, std::int64_t of, std::string_view detail) override {
    // In thousandths of an image, since one image with a long chain takes seconds.
    parent_.progress(task_, 1000 * first_ + 1000 * count_ * done / std::max<std::int64_t>(of, 1), 1000 * total_,
                     detail);
  }
  void message(std::string_view text) override { parent_.message(text); }
  [[nodiscard]] bool interrupted() const override { return parent_.interrupted(); }

 private:
  Observer& parent_;
  std::string task_;
  std::int64_t first_;
  std::int64_t count_;
  std::int64_t total_;
};

}  // namespace vaeguard::runs
