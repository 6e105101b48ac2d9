// The readable truth: layers as plain loops in double precision, forward and backward.
#pragma once

#include <span>
#include <vector>

#include "vaeguard/networks/network.h"

namespace vaeguard::networks {

/// One image's values (or gradients) at every boundary of a graph, each as [channel, row, column].
using Boundaries = std::vector<std::vector<double>>;

/// Values at every layer boundary for one image, the network's input first.
Boundaries reference_forward(const LayerGraph& graph, std::span<const double> input);
/// The gradient at the input, given the boundaries of a forward pass and the gradient at the output; adds parameter
/// gradients to `parameter_gradients` unless empty.
std::vector<double> reference_backward(const LayerGraph& graph, const Boundaries& boundaries,
                                       std::span<const double> output_gradient,
                                       std::span<double> parameter_gradients = {});

/// The steps of these passes. What a layer of the graph gives before its activation; boundaries of later layers are not
/// read and may be missing.
std::vector<double> reference_sums(const LayerGraph& graph, const Layer& layer, const Boundaries& boundaries);
/// Pulls the gradient at those sums back: adds to `gradients` of the boundaries that the layer reads, and to
/// `parameter_gradients` unless empty.
void reference_pull(const LayerGraph& graph, const Layer& layer, const Boundaries& boundaries,
                    std::span<const double> sum_gradient, Boundaries& gradients, std::span<double> parameter_gradients);

/// The same as a backend, rounded to float at its door.
const Backend& reference_backend();

}  // namespace vaeguard::networks
