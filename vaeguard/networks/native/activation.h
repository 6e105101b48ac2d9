// Activations over many floats, forward and backward.
#pragma once

#include <cstdint>

#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks::native {

/// y[i] = f(x[i]) of the activation that `options` name.
void activate(const LayerOptions& options, const float* x, float* y, std::int64_t count);
/// g[i] <- g[i] f'(x[i]), given y = f(x).
void multiply_by_derivative(const LayerOptions& options, const float* x, const float* y, float* g, std::int64_t count);

}  // namespace vaeguard::networks::native
