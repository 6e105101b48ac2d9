// Sums, products and functions of values: additions, products, activations, softmax.
#pragma once

#include <memory>

#include "vaeguard/networks/layer_graph.h"
#include "vaeguard/networks/native/steps.h"

namespace vaeguard::networks::native {

std::unique_ptr<Step> make_addition_step(const Layer& layer);
std::unique_ptr<Step> make_product_step(const Layer& layer);
std::unique_ptr<Step> make_softmax_step(const Layer& layer);
/// The activation of a layer without weights, from a buffer that only this step reads to a sloped one, both of `size`
/// values per row.
std::unique_ptr<Step> make_activation_step(const LayerOptions& options, std::int64_t size, const Kernels& kernels);

}  // namespace vaeguard::networks::native
