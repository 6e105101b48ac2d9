// What layers read, as lists that backends walk: multiplies of a window, values that move, weighted means.
#pragma once

#include <cstdint>
#include <vector>

#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks {

/// One multiply of a weighted layer, or one member of a pooling's window: output position, input position (row-major)
/// and tap of the kernel.
struct Connection {
  std::int32_t output = 0;
  std::int32_t input = 0;
  std::int32_t tap = 0;
};

/// Every (output, input, tap) of a weighted layer or a pooling, ordered by output, then tap. Positions in the padding
/// do not appear, so a backend that walks this list does no work for them. A convolution reads o * stride - padding +
/// dilation * k, a transposed one writes i * stride - padding + dilation * k.
std::vector<Connection> connections(const Layer& layer);

/// Whether each value of the output is one of the input's, or zero: upsampling, pixel shuffle, reshape, slice, padding
/// and transposition.
bool moves_values(Operation operation);
/// Where each value of such a layer's output comes from in the input, -1 for zeros; both lie as [channel, row, column].
std::vector<std::int64_t> moves(const Layer& layer);

/// One term of a layer that gives weighted means over positions, the same in each channel.
struct PositionTerm {
  std::int32_t output = 0;
  std::int32_t input = 0;
  double weight = 0.0;
};

/// Whether a layer is such: mean, average pooling and bilinear resize.
bool averages_positions(Operation operation);
/// output[c, o] = sum of weight * input[c, i] over the terms, ordered by output, then input.
std::vector<PositionTerm> position_terms(const Layer& layer);

}  // namespace vaeguard::networks
