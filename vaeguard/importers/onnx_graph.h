// An ONNX file as plain data: nodes in the order of computation, their constants, and what goes in and out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vaeguard/importers/tensor.h"

namespace vaeguard::importers {

using OnnxAttribute =
    std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>, Tensor>;

struct OnnxNode {
  std::string name;                 // as written, else "Conv_3" by its position
  std::string operation;            // "Conv"
  std::vector<std::string> inputs;  // an empty name leaves an optional input out
  std::vector<std::string> outputs;
  std::map<std::string, OnnxAttribute> attributes;
};

/// An input or output of the graph; extents that the file leaves open are 0.
struct OnnxValue {
  std::string name;
  Extents shape;
};

struct OnnxGraph {
  std::string place;  // the file, for messages
  std::int64_t opset = 0;
  std::vector<OnnxNode> nodes;
  std::map<std::string, Tensor> initialisers;
  std::vector<OnnxValue> inputs;  // without those that initialisers set
  std::vector<OnnxValue> outputs;
};

/// The first and the last version of ONNX's operations whose meaning is known here.
constexpr std::int64_t kOldestOpset = 7;
constexpr std::int64_t kNewestOpset = 22;

/// Throws Misuse that names the file, the node or tensor, what was expected and what was found: damaged bytes, other
/// versions, operations of other domains, nodes that hold graphs (loops, branches), names that are used before they are
/// computed. Large tensors may lie in files beside it.
OnnxGraph read_onnx(const std::filesystem::path& file);
/// The same from bytes; tensors in other files are looked for in `folder`, and refused where it is empty.
OnnxGraph parse_onnx(std::string_view bytes, std::string_view place, const std::filesystem::path& folder = {});

/// The nodes that `outputs` depend on, in order. An output is one of the graph's or any value that a node computes, so
/// that what a file does after it, such as drawing, is left out. Throws Misuse if nothing has such a name.
OnnxGraph needed_for(const OnnxGraph& graph, const std::vector<std::string>& outputs);

}  // namespace vaeguard::importers
