// Layer graphs in safetensors files: a JSON description in the metadata, a tensor for each weight and bias.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/models/safetensors.h"
#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::models {

/// Adds the metadata entry `prefix` and the tensors <prefix>.<layer>.weight and .bias:
///   {"input": [c, h, w], "layers": [{"operation": "convolution", "activation": "relu", ...}, ...]}
/// with "inputs", a list of shapes, in place of "input" where there are several, and "outputs", a list of boundaries,
/// unless the last layer's is the only one. A layer has the fields of its operation (networks/operations.h); "source"
/// unless it reads the boundary before it, or "sources" where it reads several; the constants of its activation unless
/// they are the usual ones. Additions of older files have "other" besides "source".
void store_graph(const networks::LayerGraph& graph, const std::string& prefix, Safetensors& file);

/// Throws Misuse that names `place`, the entry and what was expected. Tensors are compared with the description before
/// memory is taken for them.
networks::LayerGraph load_graph(const Safetensors& file, const std::string& prefix, std::string_view place);

/// Whether programs that know only graphs of one input and one output would misread it.
bool several_ends(const networks::LayerGraph& graph);

/// A tensor of that shape, all of whose values are finite.
std::vector<float> finite_floats(const Safetensors& file, const std::string& name, std::span<const std::int64_t> shape,
                                 std::string_view place);

}  // namespace vaeguard::models
