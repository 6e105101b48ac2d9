// A layer graph as libtorch calls on a device, differentiable by autograd; for the sources of this folder only.
#pragma once

#include <torch/types.h>

#include <vector>

#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::torchscript {

/// How a weighted layer is run. libtorch's own transposed convolution is slow on small images, hence the other forms.
enum class Form { convolution, product, flipped, subpixel, transposed };

struct PreparedLayer {
  networks::Layer layer;
  Form form;
  torch::Tensor weight;
  torch::Tensor bias;
};

/// Weights on a device, in the forms that run fastest. Sets libtorch to one thread, since callers distribute chunks of
/// rows over threads themselves, and to full float precision on a GPU.
class TorchLayers {
 public:
  TorchLayers(const networks::LayerGraph& graph, const torch::Device& device);
  /// All inputs of the graph -> all its outputs, each [B, C, H, W]. Weights are constants to autograd.
  [[nodiscard]] std::vector<torch::Tensor> run(std::vector<torch::Tensor> inputs) const;
  /// The same for graphs of one input and one output.
  [[nodiscard]] torch::Tensor run(const torch::Tensor& input) const;

 private:
  std::vector<PreparedLayer> layers_;
  std::vector<std::int64_t> outputs_;  // boundaries
};

}  // namespace vaeguard::torchscript
