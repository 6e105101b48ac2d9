// Layers that only move values: slices, concatenations, paddings and the like.
#pragma once

#include <memory>

#include "vaeguard/networks/layer_graph.h"
#include "vaeguard/networks/native/steps.h"

namespace vaeguard::networks::native {

/// Upsampling, pixel shuffle, reshape, slice, padding, transposition.
std::unique_ptr<Step> make_move_step(const Layer& layer);
std::unique_ptr<Step> make_concatenation_step(const Layer& layer);

}  // namespace vaeguard::networks::native
