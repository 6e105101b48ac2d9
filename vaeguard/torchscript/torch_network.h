// The torch backend: layer graphs run by libtorch on the CPU or a GPU, transposed convolutions as plain ones.
#pragma once

#include <string>

#include "vaeguard/networks/network.h"

namespace vaeguard::networks {

/// For comparison, and for processors on which the native backend is slow. libtorch may choose its algorithm by the
/// number of rows, so here a row's result depends on its batch, within rounding. Compiling sets libtorch to one thread,
/// since callers distribute chunks of rows over threads themselves, and to full float precision on a GPU.
const Backend& torch_backend();
/// The same on the current GPU, under the name torch_cuda. It supports nothing where libtorch sees no GPU.
const Backend& torch_cuda_backend();
/// The network that both backends compile, on a device by libtorch's name for it: "cpu", "cuda:1".
std::shared_ptr<const Network> compile_torch(const LayerGraph& graph, const std::string& device);

}  // namespace vaeguard::networks
