// A layer graph as steps over buffers, compiled once; for the sources of this folder only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vaeguard/networks/onednn/linear_map.h"

namespace vaeguard::networks::onednn {

/// Rows per chunk: few enough that a step's values stay in the L2 cache, many enough that the matrix products are wide.
/// Eight for small graphs, down to one for large images.
std::int64_t rows_of_chunk(const LayerGraph& graph);

/// One layer forward and backward, for a chunk of rows.
struct Step {
  Layer layer;
  std::optional<LinearMap> forward;     // of a weighted layer: with its bias and, unless needs_input, its activation
  std::optional<LinearMap> backward;    // to the gradient at its input
  std::vector<Run> runs;                // of a layer that only moves values
  std::optional<std::size_t> activate;  // index of a call, if `forward` does not activate
  std::optional<std::size_t> activate_gradient;  // index of a call
  bool used = false;                             // whether the output of the network depends on it
  bool first_source = true;  // whether its gradient is the first to reach its source, in backward order
  bool first_other = true;
};

/// The gradients of boundaries share buffers if they are never alive at the same time.
struct GradientSlots {
  std::vector<std::size_t> of_boundary;
  std::vector<std::int64_t> sizes;  // floats of each buffer
};

struct Program {
  std::int64_t rows = 1;  // per chunk
  std::vector<Call> calls;
  std::vector<Step> steps;
  std::vector<std::int64_t> sizes;  // of one row at each boundary
  GradientSlots gradients;
  std::int64_t columns = 0;  // floats of the workspace
  std::int64_t largest = 0;  // floats of a chunk at the largest boundary
};

/// Empty if oneDNN can run it, else the reason.
std::string unsupported(const LayerGraph& graph);
Program compile_program(const LayerGraph& graph);

}  // namespace vaeguard::networks::onednn
