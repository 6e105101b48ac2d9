// Copies between our memory and torch's.
#include "vaeguard/torchscript/tensors.h"

#include <algorithm>

namespace vaeguard::torchscript {
namespace {

torch::Tensor copy(std::span<const float> values, at::IntArrayRef shape) {
  torch::Tensor tensor = torch::empty(shape, torch::kFloat32);
  std::ranges::copy(values, tensor.data_ptr<float>());
  return tensor;
}

}  // namespace

torch::Tensor weight_tensor(const networks::LayerGraph& graph, const networks::Layer& layer) {
  const bool convolution = layer.operation == networks::Operation::convolution;
  const std::int64_t first = convolution ? layer.output.channels : layer.input.channels;
  const std::int64_t second = convolution ? layer.input.channels : layer.output.channels;
  return copy(graph.weight(layer), {first, second, layer.kernel, layer.kernel});
}

torch::Tensor bias_tensor(const networks::LayerGraph& graph, const networks::Layer& layer) {
  return copy(graph.bias(layer), {layer.output.channels});
}

torch::Tensor image_tensor(const Matrix& rows, const ImageShape& shape) {
  return copy(rows.values(), {rows.rows(), shape.channels, shape.height, shape.width});
}

void to_matrix(const torch::Tensor& tensor, Matrix& rows) {
  const torch::Tensor packed = tensor.contiguous();
  rows.resize(packed.size(0), packed.size(0) == 0 ? 0 : packed.numel() / packed.size(0));
  std::copy_n(packed.data_ptr<float>(), packed.numel(), rows.data());
}

}  // namespace vaeguard::torchscript
