// Floats on cache-line boundaries, for vector loads; for the sources of this folder only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>

namespace vaeguard::networks::onednn {

/// A buffer that only grows; growing discards its values, so that reuse costs nothing.
class Floats {
 public:
  /// Makes room for `size` floats; new memory is zero.
  float* require(std::int64_t size) {
    if (size > size_) {
      memory_.reset(new (kAlignment) float[static_cast<std::size_t>(size)]);
      std::fill_n(memory_.get(), size, 0.0F);
      size_ = size;
    }
    return memory_.get();
  }
  [[nodiscard]] float* data() { return memory_.get(); }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(float* memory) const { ::operator delete[](memory, kAlignment); }
  };
  std::unique_ptr<float[], Free> memory_;
  std::int64_t size_ = 0;
};

}  // namespace vaeguard::networks::onednn
