// Layers without weights as steps: one entry per operation.
#pragma once

#include <memory>

#include "vaeguard/networks/layer_graph.h"
#include "vaeguard/networks/native/steps.h"

namespace vaeguard::networks::native {

/// The step of a layer without weights, before its activation. All its buffers hold every position.
std::unique_ptr<Step> make_plain_step(const Layer& layer);

}  // namespace vaeguard::networks::native
