// A layer graph prepared for the lanes kernels: which positions live, what each reads, and packed weights.
#pragma once

#include <cstdint>
#include <vector>

#include "vaeguard/networks/lanes/aligned_floats.h"
#include "vaeguard/networks/lanes/kernels.h"
#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks::lanes {

/// Rows of a sparse matrix: the terms of row r are terms[first[r]] .. terms[first[r + 1]].
struct TermTable {
  std::vector<std::int32_t> first{0};
  std::vector<Term> terms;
};

struct LayerPlan {
  std::int64_t input_positions = 0;  // live ones
  std::int64_t output_positions = 0;
  TermTable forward;   // per output position: (input position, tap)
  TermTable backward;  // per input position: (output position, tap)
  TermTable pairs;     // per tap: (left position, right position) of the weight gradient
  bool right_is_output = true;
  std::int64_t right_channels = 0;  // padded
  AlignedFloats forward_weights;
  AlignedFloats backward_weights;
  std::vector<float> bias;  // [output channels], or [output positions, output channels] where constants were folded in
  std::int64_t bias_stride = 0;
};

/// Whether parameters may change later: only fixed ones let constant positions be folded away.
enum class Parameters { fixed, trainable };

struct Plan {
  std::vector<LayerPlan> layers;
  std::int64_t largest_activation = 0;  // floats of one group at the widest place
};

/// Positions that no input reaches (between the taps of a dilated transposed convolution, say) hold a constant,
/// activation(bias). With fixed parameters the next layer takes their part into a bias per position and they vanish.
Plan make_plan(const LayerGraph& graph, Parameters parameters);
/// Packs the graph's present weights and biases into a plan made for trainable parameters.
void pack_parameters(const LayerGraph& graph, Plan& plan);

}  // namespace vaeguard::networks::lanes
