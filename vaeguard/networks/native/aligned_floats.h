// Floats on cache-line boundaries, for vector loads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace vaeguard::networks::native {

/// A buffer that only grows; growing discards its values, so that reuse costs nothing.
class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(std::int64_t size) { require(size); }
  /// Makes room for `size` floats and one more vector after them; new memory is zero.
  float* require(std::int64_t size) {
    if (size > size_) {
      constexpr std::size_t kAlignment = 64;
      const std::size_t bytes =
          (static_cast<std::size_t>(size) * sizeof(float) + 2 * kAlignment - 1) / kAlignment * kAlignment;
      memory_.reset(static_cast<float*>(std::aligned_alloc(kAlignment, bytes)));
      if (!memory_) {
        throw std::bad_alloc();
      }
      std::fill_n(memory_.get(), bytes / sizeof(float), 0.0F);
      size_ = size;
    }
    return memory_.get();
  }
  [[nodiscard]] float* data() { return memory_.get(); }
  [[nodiscard]] const float* data() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(float* memory) const { std::free(memory); }
  };
  std::unique_ptr<float, Free> memory_;
  std::int64_t size_ = 0;
};

}  // namespace vaeguard::networks::native
