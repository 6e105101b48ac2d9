// What layers read, as lists for backends to walk: multiplications of a window, moved values, weighted means.
#pragma once

#include <cstdint>
#include <vector>

#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks {

/// One multiplication of a weighted layer, or one member of a pooling window: output position, input position
/// (row-major) and tap of the kernel.
struct Connection {
  std::int32_t output = 0;
  std::int32_t input = 0;
  std::int32_t tap = 0;
};

/// Every (output, input, tap) of a weighted layer or a pooling, ordered by output, then tap. Positions in the padding
/// are left out, so a backend that walks this list does no work for them. A convolution reads o * stride - padding +
/// dilation * k, a transposed one writes i * stride - padding + dilation * k.
std::vector<Connection> connections(const Layer& layer);

/// Whether each output value is a value of the input, or zero: upsampling, pixel shuffle, reshape, slice, padding and
/// transposition.
bool moves_values(Operation operation);
/// For each output value of such a layer, its index in the input, -1 for zeros; both are [channel, row, column].
std::vector<std::int64_t> moves(const Layer& layer);

/// One term of a layer that computes weighted means over positions, the same in each channel.
struct PositionTerm {
  std::int32_t output = 0;
  std::int32_t input = 0;
  double weight = 0.0;
};

/// Whether an operation does so: mean, average pooling and bilinear resize.
bool averages_positions(Operation operation);
/// output[c, o] = sum of weight * input[c, i] over the terms, ordered by output, then input.
std::vector<PositionTerm> position_terms(const Layer& layer);

}  // namespace vaeguard::networks
