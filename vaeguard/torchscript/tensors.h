// Parameters and rows as torch tensors; for the sources of this folder only.
#pragma once

#include <torch/types.h>

#include "vaeguard/base/matrix.h"
#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::torchscript {

/// Copies a layer's weight in PyTorch's own order.
torch::Tensor weight_tensor(const networks::LayerGraph& graph, const networks::Layer& layer);
torch::Tensor bias_tensor(const networks::LayerGraph& graph, const networks::Layer& layer);
/// Copies rows [B, C*H*W] to [B, C, H, W] on a device, without waiting for the device.
torch::Tensor image_tensor(const Matrix& rows, const ImageShape& shape, const torch::Device& device);
/// Copies [B, ...] from any device to rows; waits until they are there.
void to_matrix(const torch::Tensor& tensor, Matrix& rows);

}  // namespace vaeguard::torchscript
