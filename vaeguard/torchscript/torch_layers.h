// A layer graph as libtorch calls on a device, on which autograd can run; for the sources of this folder only.
#pragma once

#include <torch/types.h>

#include <vector>

#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::torchscript {

/// How a weighted layer is run. libtorch's own transposed convolution takes a slow path on small images, hence the
/// other forms.
enum class Form { convolution, product, flipped, subpixel, transposed };

struct PreparedLayer {
  networks::Layer layer;
  Form form;
  torch::Tensor weight;
  torch::Tensor bias;
};

/// Weights on a device, in the forms that run fastest. Sets libtorch to one thread, since callers hand chunks of rows
/// to threads themselves, and to full float precision on a GPU.
class TorchLayers {
 public:
  TorchLayers(const networks::LayerGraph& graph, const torch::Device& device);
  /// Each of the graph's inputs [B, C, H, W] -> each of its outputs [B, C, H, W]. Weights are constants to autograd.
  [[nodiscard]] std::vector<torch::Tensor> run(std::vector<torch::Tensor> inputs) const;
  /// The same for graphs of one input and one output.
  [[nodiscard]] torch::Tensor run(const torch::Tensor& input) const;

 private:
  std::vector<PreparedLayer> layers_;
  std::vector<std::int64_t> outputs_;  // boundaries
};

}  // namespace vaeguard::torchscript
