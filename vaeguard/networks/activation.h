// Activations: functions of one value, in double; the reference for every backend's own versions.
#pragma once

#include <cstddef>

#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks {

constexpr std::size_t kActivations = static_cast<std::size_t>(Activation::softplus) + 1;

/// f(x) for the activation, slope and bounds in `options`, and its derivative; at a kink, the derivative from below.
double activate(const LayerOptions& options, double x);
double activate_derivative(const LayerOptions& options, double x);

}  // namespace vaeguard::networks
