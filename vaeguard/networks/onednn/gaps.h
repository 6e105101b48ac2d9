// Takes out the work on positions that no input reaches; for the sources of this folder only.
#pragma once

#include <vector>

#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks::onednn {

/// A layer with the bias that belongs to it: one a channel, or one a value as [position][channel].
struct BiasedLayer {
  Layer layer;
  std::vector<float> bias;
};

/// The graph's layers, boundaries numbered as before. A dilated transposed convolution of a single position leaves gaps
/// that hold its activated bias whatever the input; where another transposed convolution alone reads it, the first is
/// given without its gaps (dilation 1), the second with a stride as wide as the dilation, and what the gaps gave to its
/// sums becomes part of its bias.
std::vector<BiasedLayer> without_gaps(const LayerGraph& graph);

}  // namespace vaeguard::networks::onednn
