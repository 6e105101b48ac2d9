// Looks for pairs of nodes by the names that they share.
#include "vaeguard/importers/patterns.h"

#include <algorithm>
#include <set>

namespace vaeguard::importers {

std::map<std::string, std::int64_t> uses(const OnnxGraph& graph) {
  std::map<std::string, std::int64_t> result;
  for (const OnnxNode& node : graph.nodes) {
    for (const std::string& input : node.inputs) {
      ++result[input];
    }
  }
  for (const OnnxValue& output : graph.outputs) {
    ++result[output.name];
  }
  return result;
}

OnnxGraph with_silu(OnnxGraph graph) {
  const auto used = uses(graph);
  std::map<std::string, std::string> sigmoids;  // of which value, by their own name
  for (const OnnxNode& node : graph.nodes) {
    if (node.operation == "Sigmoid" && node.inputs.size() == 1 && used.contains(node.outputs[0]) &&
        used.at(node.outputs[0]) == 1) {
      sigmoids[node.outputs[0]] = node.inputs[0];
    }
  }
  std::set<std::string> merged;
  for (OnnxNode& node : graph.nodes) {
    if (node.operation != "Mul" || node.inputs.size() != 2) {
      continue;
    }
    for (const std::size_t gate : {0U, 1U}) {
      const auto sigmoid = sigmoids.find(node.inputs[gate]);
      if (sigmoid != sigmoids.end() && sigmoid->second == node.inputs[1 - gate]) {
        merged.insert(sigmoid->first);
        node.operation = "Silu";
        node.inputs = {sigmoid->second};
        break;
      }
    }
  }
  std::erase_if(graph.nodes,
                [&](const OnnxNode& node) { return node.operation == "Sigmoid" && merged.contains(node.outputs[0]); });
  return graph;
}

}  // namespace vaeguard::importers
