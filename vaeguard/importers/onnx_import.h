// ONNX graphs as layer graphs: fast, differentiable, and without any third party once imported.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vaeguard/importers/onnx_graph.h"
#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::importers {

struct ImportedNetwork {
  networks::LayerGraph graph;                      // its outputs are those of the ONNX graph, in order
  std::map<std::string, std::int64_t> operations;  // nodes of each kind that became layers
};

struct InputOptions {
  std::optional<ImageShape> shape{};  // of the layers' input: as many values as the file's, in the same order
  double scale = 1.0;                 // the graph is given scale * x + shift
  double shift = 0.0;
};

/// The layers of a graph with one input [N, ...], for a batch of any size N. Unless told otherwise, an input of three
/// axes after the batch keeps them ([C, H, W] is an image). Constants are folded, batch normalisations too where a
/// convolution comes before them. Throws Misuse that names the file, the node, its operation and the reason where the
/// layers cannot express one.
ImportedNetwork import_network(const OnnxGraph& graph, const InputOptions& input = {});

/// The operations of ONNX that can be imported, sorted.
std::vector<std::string> importable_operations();

}  // namespace vaeguard::importers
