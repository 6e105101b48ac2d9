// The readable truth: layers as plain loops in double precision, forward and backward.
#pragma once

#include <span>
#include <vector>

#include "vaeguard/networks/network.h"

namespace vaeguard::networks {

/// Values at every layer boundary for one image, the network's input first.
std::vector<std::vector<double>> reference_forward(const LayerGraph& graph, std::span<const double> input);
/// The gradient at the input, given the boundaries of a forward pass and the gradient at the output; adds parameter
/// gradients to `parameter_gradients` unless empty.
std::vector<double> reference_backward(const LayerGraph& graph, const std::vector<std::vector<double>>& boundaries,
                                       std::span<const double> output_gradient,
                                       std::span<double> parameter_gradients = {});

/// The same as a backend, rounded to float at its door.
const Backend& reference_backend();

}  // namespace vaeguard::networks
