// The torch backend: layer graphs run by libtorch on the processor or a GPU, transposed convolutions as plain ones.
#pragma once

#include <string>

#include "vaeguard/networks/network.h"

namespace vaeguard::networks {

/// For comparison and for processors that the native backend does not serve well. libtorch may choose another algorithm
/// for another number of rows, so here a row's result depends on its batch, within rounding. Compiling sets libtorch to
/// one thread, since callers hand chunks of rows to threads themselves, and to full float precision on a GPU.
const Backend& torch_backend();
/// The same on the current GPU, under the name torch_cuda. It supports nothing where libtorch sees no GPU.
const Backend& torch_cuda_backend();
/// What both backends compile: a network on a device that libtorch names so, "cpu" or "cuda:1".
std::shared_ptr<const Network> compile_torch(const LayerGraph& graph, const std::string& device);

}  // namespace vaeguard::networks
