// Compiling a layer graph: forms, activations and shared buffers.
#include "vaeguard/networks/onednn/program.h"

#include <algorithm>
#include <limits>

#include "vaeguard/networks/layer_maps.h"
#include "vaeguard/networks/onednn/choose_form.h"
#include "vaeguard/networks/onednn/gaps.h"

namespace vaeguard::networks::onednn {
namespace {

std::size_t add_call(Program& program, Call call) {
  program.calls.push_back(std::move(call));
  return program.calls.size() - 1;
}

LinearMap chosen_map(const Layer& layer, bool scatter, std::span<const float> weights, const Epilogue& epilogue,
                     Program& program) {
  const Geometry shape = geometry(layer);
  const Form form = choose_form(shape, scatter, epilogue, program.rows);
  LinearMap map(shape, scatter, form, weights, epilogue, program.rows, program.calls);
  program.columns = std::max(program.columns, map.columns());
  return map;
}

Step make_step(const BiasedLayer& biased, std::span<const float> weights, Program& program) {
  const Layer& layer = biased.layer;
  Step step{.layer = layer, .forward = {}, .backward = {}, .runs = {}, .activate = {}, .activate_gradient = {}};
  const bool active = layer.activation != Activation::none;
  const bool apart = active && (!layer.weighted() || needs_input(layer.activation));
  if (layer.weighted()) {
    const bool transposed = layer.operation == Operation::transposed_convolution;
    const Epilogue epilogue{
        .bias = biased.bias, .activation = apart ? Activation::none : layer.activation, .slope = layer.slope};
    step.forward = chosen_map(layer, transposed, weights, epilogue, program);
    step.backward = chosen_map(layer, !transposed, weights, {}, program);
  } else if (layer.operation != Operation::addition) {
    step.runs = move_runs(layer);
  }
  if (apart) {
    step.activate =
        add_call(program, activation_call(layer.activation, layer.slope, program.rows * layer.output.size()));
  }
  if (active) {
    step.activate_gradient =
        add_call(program, activation_gradient_call(layer.activation, layer.slope, program.rows * layer.output.size()));
  }
  return step;
}

// Whether make_step supports a layer.
bool has_form(const Layer& layer) {
  const bool sum = layer.operation == Operation::addition && layer.inputs[0] == layer.inputs[1];
  const bool function = layer.activation != Activation::exp && layer.activation != Activation::clamp &&
                        layer.activation != Activation::softplus;
  return (layer.weighted() || sum || moves_values(layer.operation)) && function;
}

// Marks the steps that the output depends on, and where each gradient arrives first.
void trace_gradients(Program& program) {
  std::vector<bool> reached(program.sizes.size(), false);
  reached.back() = true;
  for (std::size_t l = program.steps.size(); l-- > 0;) {
    Step& step = program.steps[l];
    step.used = reached[l + 1];
    if (!step.used) {
      continue;
    }
    const auto arrive = [&reached](std::int64_t boundary) {
      const bool first = !reached[static_cast<std::size_t>(boundary)];
      reached[static_cast<std::size_t>(boundary)] = true;
      return first;
    };
    step.first_source = arrive(step.layer.source());
    step.first_other = step.layer.operation == Operation::addition && arrive(step.layer.sources[1]);
  }
}

// A boundary's gradient lives from the last step that reads the boundary to the step that computed it.
GradientSlots share_gradients(const Program& program) {
  GradientSlots slots{.of_boundary = std::vector<std::size_t>(program.sizes.size()), .sizes = {}};
  std::vector<std::size_t> idle;
  const auto take = [&](std::int64_t boundary) {
    const auto b = static_cast<std::size_t>(boundary);
    if (idle.empty()) {
      idle.push_back(slots.sizes.size());
      slots.sizes.push_back(0);
    }
    slots.of_boundary[b] = idle.back();
    slots.sizes[idle.back()] = std::max(slots.sizes[idle.back()], program.rows * program.sizes[b]);
    idle.pop_back();
  };
  take(static_cast<std::int64_t>(program.steps.size()));
  for (std::size_t l = program.steps.size(); l-- > 0;) {
    const Step& step = program.steps[l];
    if (!step.used) {
      continue;
    }
    if (step.first_source) {
      take(step.layer.source());
    }
    if (step.first_other) {
      take(step.layer.sources[1]);
    }
    idle.push_back(slots.of_boundary[l + 1]);
  }
  return slots;
}

}  // namespace

std::int64_t rows_of_chunk(const LayerGraph& graph) {
  constexpr std::int64_t kMost = 8;
  constexpr std::int64_t kFloats = 64 * 1024;  // a quarter of a megabyte at the widest boundary
  std::int64_t widest = graph.input_size();
  for (const Layer& layer : graph.layers) {
    widest = std::max(widest, layer.output.size());
  }
  std::int64_t rows = kMost;
  while (rows > 1 && rows * widest > kFloats) {
    rows /= 2;
  }
  return rows;
}

std::string unsupported(const LayerGraph& graph) {
  if (const std::string reason = defect(graph); !reason.empty()) {
    return reason;
  }
  if (graph.inputs.size() > 1 || !graph.outputs.empty()) {
    return "the backend onednn runs graphs of one input whose last layer is their only output";
  }
  for (const Layer& layer : graph.layers) {
    if (!has_form(layer)) {
      return fmt::format("the backend onednn has no form for the layer {}", describe(layer));
    }
  }
  const std::int64_t rows = rows_of_chunk(graph);
  for (const Layer& layer : graph.layers) {
    // oneDNN's kernels index floats with 32 bits.
    const std::int64_t floats =
        std::max({rows * layer.input().size(), rows * layer.output.size(), layer.weight_count()});
    if (floats > std::numeric_limits<std::int32_t>::max()) {
      return fmt::format("{} floats at a time are too many for oneDNN in the layer {}", floats, describe(layer));
    }
  }
  const OneThread one;
  for (const BiasedLayer& biased : without_gaps(graph)) {
    if (biased.layer.weighted() && !supported(geometry(biased.layer), rows)) {
      return fmt::format("oneDNN has no primitive for the layer {}", describe(biased.layer));
    }
  }
  return "";
}

Program compile_program(const LayerGraph& graph) {
  Program program;
  program.rows = rows_of_chunk(graph);
  program.sizes.push_back(graph.input_size());
  for (const BiasedLayer& biased : without_gaps(graph)) {
    program.steps.push_back(make_step(biased, graph.weight(biased.layer), program));
    program.sizes.push_back(biased.layer.output.size());
  }
  trace_gradients(program);
  program.gradients = share_gradients(program);
  program.largest = program.rows * std::ranges::max(program.sizes);
  return program;
}

}  // namespace vaeguard::networks::onednn
