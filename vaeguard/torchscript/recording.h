// Work on a device that is recorded once and replayed as a whole, as a CUDA graph; for the sources of this folder only.
#pragma once

#include <torch/types.h>

#include <functional>
#include <memory>

namespace vaeguard::torchscript {

/// On a GPU the kernels of `work` are launched all at once, with nothing of the host between them. On a processor, and
/// where the build has no CUDA, run() calls `work`.
class Recording {
 public:
  /// `work` must read and write the same tensors at each call, and must not wait for the device. Recording it runs it a
  /// few times, on whatever its tensors then hold.
  Recording(const torch::Device& device, std::function<torch::Tensor()> work);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  /// What `work` returns; the next run may overwrite it.
  [[nodiscard]] torch::Tensor run();

 private:
  struct Graph;
  std::function<torch::Tensor()> work_;
  std::unique_ptr<Graph> graph_;  // null where `work` is called
};

}  // namespace vaeguard::torchscript
