// A layer graph lowered to steps over buffers, constant positions folded away.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "vaeguard/networks/layer_graph.h"
#include "vaeguard/networks/native/weighted_step.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::networks::native {

/// Whether parameters may change later: only fixed ones let constant positions be folded away.
enum class Parameters { fixed, trainable };

struct Plan {
  std::vector<Buffer> buffers;  // the network's inputs first
  std::vector<std::unique_ptr<Step>> steps;
  std::vector<WeightedStep*> weighted;  // the steps that have parameters
  std::vector<std::size_t> outputs;     // buffers
  /// Gradients that are never alive at the same time share memory: each buffer's slot, and each slot's floats per row.
  std::vector<std::size_t> gradient_slot;
  std::vector<std::int64_t> slot_size;
};

/// Positions that no input reaches (between the taps of a dilated transposed convolution, say) hold a constant,
/// activation(bias). With fixed parameters they are removed, and the layers that read them fold their contribution into
/// a bias per position. Layers whose output is never read are removed too, and so are gradients of inputs that no
/// output depends on.
///
/// In bfloat16 (chains of weighted layers only) weights are rounded, and so are values and gradients between layers
/// where the number of channels is even, since the kernel takes pairs; all others, the network's output and the
/// gradient of its input stay floats.
Plan make_plan(const LayerGraph& graph, Parameters parameters, const Kernels& kernels,
               Precision precision = Precision::float32);

}  // namespace vaeguard::networks::native
