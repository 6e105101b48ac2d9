// The readable reference: whole graphs in double precision, forward, backward and along a tangent.
#pragma once

#include <span>
#include <vector>

#include "vaeguard/networks/network.h"

namespace vaeguard::networks {

/// One image's values (or gradients, or tangents) at every boundary of a graph, each as [channel, row, column].
using Boundaries = std::vector<std::vector<double>>;

/// Values at every boundary for one image. `input` concatenates those of all inputs.
Boundaries reference_forward(const LayerGraph& graph, std::span<const double> input);
/// The values of all outputs, concatenated.
std::vector<double> reference_outputs(const LayerGraph& graph, const Boundaries& boundaries);
/// The gradient at the inputs, given the boundaries of a forward pass and the gradient at the outputs; adds parameter
/// gradients to `parameter_gradients` unless empty.
std::vector<double> reference_backward(const LayerGraph& graph, const Boundaries& boundaries,
                                       std::span<const double> output_gradient,
                                       std::span<double> parameter_gradients = {});
/// The tangent at every boundary, given the boundaries of a forward pass and the tangent at the inputs.
Boundaries reference_tangent(const LayerGraph& graph, const Boundaries& boundaries,
                             std::span<const double> input_tangent);

/// The single steps of these passes. A layer's output before its activation; boundaries of later layers are not read
/// and may be missing.
std::vector<double> reference_sums(const LayerGraph& graph, const Layer& layer, const Boundaries& boundaries);
/// Pulls the gradient at that output back: adds to `gradients` at the boundaries that the layer reads, and to
/// `parameter_gradients` unless empty.
void reference_pull(const LayerGraph& graph, const Layer& layer, const Boundaries& boundaries,
                    std::span<const double> sum_gradient, Boundaries& gradients, std::span<double> parameter_gradients);
/// The tangent of that output, given the `tangents` at the boundaries that the layer reads.
std::vector<double> reference_push(const LayerGraph& graph, const Layer& layer, const Boundaries& boundaries,
                                   const Boundaries& tangents);

/// The same as a backend, with inputs and outputs in float.
const Backend& reference_backend();

}  // namespace vaeguard::networks
