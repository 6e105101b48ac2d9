// Work on a device that is recorded once and replayed as a whole, as a CUDA graph; for the sources of this folder only.
#pragma once

#include <torch/types.h>

#include <functional>
#include <memory>

namespace vaeguard::torchscript {

/// On a GPU, all kernels of `work` are launched at once, without the host in between. On a CPU, or in a build without
/// CUDA, run() calls `work`.
class Recording {
 public:
  /// `work` must read and write the same tensors at each call, and must not wait for the device. Recording runs it a
  /// few times on whatever its tensors hold at that moment.
  Recording(const torch::Device& device, std::function<torch::Tensor()> work);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  /// Returns the result of `work`; the next run may overwrite it.
  [[nodiscard]] torch::Tensor run();

 private:
  struct Graph;
  std::function<torch::Tensor()> work_;
  std::unique_ptr<Graph> graph_;  // null if run() calls `work`
};

}  // namespace vaeguard::torchscript
