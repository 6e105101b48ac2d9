// Removes the work on positions that no input reaches; for the sources of this folder only.
#pragma once

#include <vector>

#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks::onednn {

/// A layer with its bias: one per channel, or one per value as [position][channel].
struct BiasedLayer {
  Layer layer;
  std::vector<float> bias;
};

/// The graph's layers, boundaries numbered as before. A dilated transposed convolution of a single position leaves gaps
/// that hold its activated bias whatever the input. If its only reader is another transposed convolution, the first is
/// returned without gaps (dilation 1), the second with its stride multiplied by that dilation, and what the gaps
/// contributed to its sums becomes part of its bias.
std::vector<BiasedLayer> without_gaps(const LayerGraph& graph);

}  // namespace vaeguard::networks::onednn
