// Copies between our memory and torch's.
#include "vaeguard/torchscript/tensors.h"

#include <algorithm>

namespace vaeguard::torchscript {
namespace {

torch::Tensor copied(std::span<const float> values, at::IntArrayRef shape, bool pinned = false) {
  torch::Tensor tensor = torch::empty(shape, torch::TensorOptions(torch::kFloat32).pinned_memory(pinned));
  std::ranges::copy(values, tensor.data_ptr<float>());
  return tensor;
}

}  // namespace

torch::Tensor weight_tensor(const networks::LayerGraph& graph, const networks::Layer& layer) {
  const bool convolution = layer.operation == networks::Operation::convolution;
  const std::int64_t first = convolution ? layer.output.channels : layer.input().channels;
  const std::int64_t second = convolution ? layer.input().channels : layer.output.channels;
  return copied(graph.weight(layer), {first, second / layer.groups, layer.kernel, layer.kernel});
}

torch::Tensor bias_tensor(const networks::LayerGraph& graph, const networks::Layer& layer) {
  return copied(graph.bias(layer), {layer.output.channels});
}

torch::Tensor image_tensor(const Matrix& rows, const ImageShape& shape, const torch::Device& device) {
  // Only copies from pinned memory to a GPU are asynchronous.
  return copied(rows.values(), {rows.rows(), shape.channels, shape.height, shape.width}, device.is_cuda())
      .to(device, /*non_blocking=*/true);
}

void to_matrix(const torch::Tensor& tensor, Matrix& rows) {
  const torch::Tensor packed = tensor.to(torch::kCPU).contiguous();
  rows.resize(packed.size(0), packed.size(0) == 0 ? 0 : packed.numel() / packed.size(0));
  std::copy_n(packed.data_ptr<float>(), packed.numel(), rows.data());
}

}  // namespace vaeguard::torchscript
