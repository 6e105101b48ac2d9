// Activations: functions of one value, in double; the truth for every backend's own.
#pragma once

#include <cstddef>

#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks {

constexpr std::size_t kActivations = static_cast<std::size_t>(Activation::softplus) + 1;

/// f(x) of the activation that `options` name, with their slope and bounds, and its derivative. At a kink the
/// derivative is that of the lower side.
double activate(const LayerOptions& options, double x);
double activate_derivative(const LayerOptions& options, double x);

}  // namespace vaeguard::networks
