// Operations as plain loops in double precision: forward, backward, tangent; one entry per operation.
#pragma once

#include <span>
#include <vector>

#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks {

/// One image at one layer: the values at all its sources, each as [channel, row, column].
struct LayerReading {
  const LayerGraph& graph;
  const Layer& layer;
  std::vector<std::span<const double>> x;
};

struct ReferenceOperation {
  /// Computes y before the activation; `y` already has its size.
  void (*forward)(const LayerReading& at, std::span<double> y);
  /// Adds the transposed Jacobian times the gradient at y to the gradients at each x, and to parameter gradients unless
  /// empty.
  void (*backward)(const LayerReading& at, std::span<const double> gradient,
                   std::span<const std::span<double>> x_gradients, std::span<double> parameter_gradients);
  /// The Jacobian times the tangents at each x.
  void (*tangent)(const LayerReading& at, std::span<const std::span<const double>> x_tangents,
                  std::span<double> y_tangent);
};

const ReferenceOperation& reference_operation(Operation operation);

}  // namespace vaeguard::networks
