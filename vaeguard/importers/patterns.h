// Nodes that mean one thing together, as exporters write it, for the sources of this folder only.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "vaeguard/importers/onnx_graph.h"

namespace vaeguard::importers {

/// How often each name is read: by nodes, and as an output.
std::map<std::string, std::int64_t> uses(const OnnxGraph& graph);

/// x * Sigmoid(x), whose sigmoid nothing else reads, becomes one node Silu(x).
OnnxGraph with_silu(OnnxGraph graph);

}  // namespace vaeguard::importers
