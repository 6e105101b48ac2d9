// Means and maxima over positions, each channel by itself: mean, poolings, bilinear resize.
#pragma once

#include <memory>

#include "vaeguard/networks/layer_graph.h"
#include "vaeguard/networks/native/steps.h"

namespace vaeguard::networks::native {

/// Mean, average pooling, bilinear resize.
std::unique_ptr<Step> make_average_step(const Layer& layer);
std::unique_ptr<Step> make_max_pooling_step(const Layer& layer);

}  // namespace vaeguard::networks::native
