// Capture of CUDA graphs, where the build has CUDA.
#include "vaeguard/torchscript/recording.h"

#include <utility>

#ifdef VAEGUARD_WITH_CUDA
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/cuda.h>
#endif

namespace vaeguard::torchscript {

#ifdef VAEGUARD_WITH_CUDA

struct Recording::Graph {
  at::cuda::CUDAGraph graph;
  torch::Tensor result;

  // Capture needs a stream of its own. The runs before it let libraries choose algorithms and create handles and
  // workspaces, which is not allowed during a capture.
  Graph(const torch::Device& device, const std::function<torch::Tensor()>& work) {
    constexpr int kWarmUps = 3;
    torch::cuda::synchronize(device.index());
    {
      const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool(false, device.index()));
      for (int i = 0; i < kWarmUps; ++i) {
        (void)work();
      }
      torch::cuda::synchronize(device.index());
      graph.capture_begin();
      try {
        result = work();
      } catch (...) {
        graph.capture_end();  // otherwise the stream would stay in capture mode
        throw;
      }
      graph.capture_end();
    }
    torch::cuda::synchronize(device.index());
  }
};

Recording::Recording(const torch::Device& device, std::function<torch::Tensor()> work) : work_(std::move(work)) {
  if (device.is_cuda()) {
    graph_ = std::make_unique<Graph>(device, work_);
  }
}

torch::Tensor Recording::run() {
  if (graph_ == nullptr) {
    return work_();
  }
  graph_->graph.replay();
  return graph_->result;
}

#else

struct Recording::Graph {};

Recording::Recording(const torch::Device& /*device*/, std::function<torch::Tensor()> work) : work_(std::move(work)) {}

torch::Tensor Recording::run() { return work_(); }

#endif

Recording::~Recording() = default;

}  // namespace vaeguard::torchscript
