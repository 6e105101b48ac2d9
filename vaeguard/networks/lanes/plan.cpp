// Folding constant positions, building term tables and packing weights for the lanes kernels.
#include "vaeguard/networks/lanes/plan.h"

#include <algorithm>

namespace vaeguard::networks::lanes {
namespace {

// What is known of a layer boundary: the compact index of each live position (-1 for a constant one), and the
// constants.
struct Boundary {
  std::vector<std::int32_t> live;
  std::int64_t live_count = 0;
  std::vector<double> constants;  // [position, channel]
};

Boundary all_live(const ImageShape& shape) {
  Boundary boundary;
  boundary.live_count = shape.positions();
  boundary.live.resize(static_cast<std::size_t>(boundary.live_count));
  for (std::int64_t p = 0; p < boundary.live_count; ++p) {
    boundary.live[static_cast<std::size_t>(p)] = static_cast<std::int32_t>(p);
  }
  return boundary;
}

TermTable make_table(std::int64_t rows, std::vector<std::pair<std::int32_t, Term>> entries) {
  std::ranges::stable_sort(entries, {}, [](const auto& entry) { return entry.first; });
  TermTable table;
  table.first.assign(static_cast<std::size_t>(rows) + 1, 0);
  for (const auto& [row, term] : entries) {
    ++table.first[static_cast<std::size_t>(row) + 1];
    table.terms.push_back(term);
  }
  for (std::size_t r = 1; r < table.first.size(); ++r) {
    table.first[r] += table.first[r - 1];
  }
  return table;
}

// Bias of every output position plus what its constant inputs add, in double.
std::vector<double> position_bias(const LayerGraph& graph, const Layer& layer, const Boundary& input,
                                  const std::vector<Connection>& all) {
  const auto bias = graph.bias(layer);
  const auto weight = graph.weight(layer);
  const std::int64_t channels = layer.output.channels;
  std::vector<double> result(static_cast<std::size_t>(layer.output.positions() * channels));
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = bias[i % static_cast<std::size_t>(channels)];
  }
  for (const Connection& c : all) {
    if (input.live[static_cast<std::size_t>(c.input)] >= 0) {
      continue;
    }
    for (std::int64_t o = 0; o < channels; ++o) {
      double sum = 0.0;
      for (std::int64_t i = 0; i < layer.input.channels; ++i) {
        sum += static_cast<double>(weight[static_cast<std::size_t>(layer.weight_index(o, i, c.tap))]) *
               input.constants[static_cast<std::size_t>(c.input * layer.input.channels + i)];
      }
      result[static_cast<std::size_t>(c.output * channels + o)] += sum;
    }
  }
  return result;
}

Boundary output_boundary(const Layer& layer, const Boundary& input, const std::vector<Connection>& all,
                         std::vector<double> constants) {
  Boundary output;
  output.live.assign(static_cast<std::size_t>(layer.output.positions()), -1);
  for (const Connection& c : all) {
    if (input.live[static_cast<std::size_t>(c.input)] >= 0) {
      output.live[static_cast<std::size_t>(c.output)] = 0;
    }
  }
  for (auto& index : output.live) {
    index = index < 0 ? -1 : static_cast<std::int32_t>(output.live_count++);
  }
  if (layer.activation == Activation::relu) {
    std::ranges::for_each(constants, [](double& value) { value = std::max(value, 0.0); });
  }
  output.constants = std::move(constants);
  return output;
}

void fill_tables(const Layer& layer, const Boundary& input, const Boundary& output, const std::vector<Connection>& all,
                 LayerPlan& plan) {
  std::vector<std::pair<std::int32_t, Term>> forward;
  std::vector<std::pair<std::int32_t, Term>> backward;
  std::vector<std::pair<std::int32_t, Term>> pairs;
  plan.right_is_output = layer.output.channels >= kColumns || layer.input.channels < kColumns;
  for (const Connection& c : all) {
    const std::int32_t i = input.live[static_cast<std::size_t>(c.input)];
    const std::int32_t o = output.live[static_cast<std::size_t>(c.output)];
    if (i < 0) {
      continue;
    }
    forward.push_back({o, {i, c.tap}});
    backward.push_back({i, {o, c.tap}});
    pairs.push_back({c.tap, plan.right_is_output ? Term{i, o} : Term{o, i}});
  }
  plan.input_positions = input.live_count;
  plan.output_positions = output.live_count;
  plan.forward = make_table(output.live_count, std::move(forward));
  plan.backward = make_table(input.live_count, std::move(backward));
  plan.pairs = make_table(static_cast<std::int64_t>(layer.kernel) * layer.kernel, std::move(pairs));
  const std::int64_t right = plan.right_is_output ? layer.output.channels : layer.input.channels;
  plan.right_channels = (right + kColumns - 1) / kColumns * kColumns;
}

void fill_bias(const Layer& layer, const Boundary& output, const std::vector<double>& constants, LayerPlan& plan) {
  const auto channels = static_cast<std::size_t>(layer.output.channels);
  plan.bias.assign(static_cast<std::size_t>(output.live_count) * channels, 0.0F);
  for (std::size_t p = 0; p < output.live.size(); ++p) {
    if (output.live[p] >= 0) {
      for (std::size_t o = 0; o < channels; ++o) {
        plan.bias[static_cast<std::size_t>(output.live[p]) * channels + o] =
            static_cast<float>(constants[p * channels + o]);
      }
    }
  }
  plan.bias_stride = layer.output.channels;
}

// One direction of one layer: [block][tap][reduced channel][kept channel of the block]. The strides say how far
// neighbouring channels lie apart in the layer's own weights, where taps are contiguous.
void pack_direction(std::span<const float> weight, std::int64_t taps, std::int64_t kept, std::int64_t kept_stride,
                    std::int64_t reduced, std::int64_t reduced_stride, AlignedFloats& packed) {
  float* to = packed.require(static_cast<std::int64_t>(weight.size()));
  for (std::int64_t block = 0; block < block_count(kept); ++block) {
    const float* from = weight.data() + block_begin(kept, block) * kept_stride;
    const std::int64_t width = block_begin(kept, block + 1) - block_begin(kept, block);
    for (std::int64_t t = 0; t < taps; ++t) {
      for (std::int64_t r = 0; r < reduced; ++r) {
        for (std::int64_t k = 0; k < width; ++k) {
          *to++ = from[k * kept_stride + r * reduced_stride + t];
        }
      }
    }
  }
}

void pack_weights(const LayerGraph& graph, const Layer& layer, LayerPlan& plan) {
  const auto weight = graph.weight(layer);
  const std::int64_t taps = static_cast<std::int64_t>(layer.kernel) * layer.kernel;
  const std::int64_t outputs = layer.output.channels;
  const std::int64_t inputs = layer.input.channels;
  const bool convolution = layer.operation == Operation::convolution;
  const std::int64_t output_stride = convolution ? inputs * taps : taps;
  const std::int64_t input_stride = convolution ? taps : outputs * taps;
  pack_direction(weight, taps, outputs, output_stride, inputs, input_stride, plan.forward_weights);
  pack_direction(weight, taps, inputs, input_stride, outputs, output_stride, plan.backward_weights);
}

}  // namespace

Plan make_plan(const LayerGraph& graph, Parameters parameters) {
  Plan plan;
  Boundary input = all_live(graph.input);
  plan.largest_activation = graph.input.size() * kLanes;
  for (std::size_t l = 0; l < graph.layers.size(); ++l) {
    const Layer& layer = graph.layers[l];
    const auto all = connections(layer);
    LayerPlan& layer_plan = plan.layers.emplace_back();
    auto constants = position_bias(graph, layer, input, all);
    const bool last = l + 1 == graph.layers.size();
    Boundary output = parameters == Parameters::fixed && !last ? output_boundary(layer, input, all, constants)
                                                               : all_live(layer.output);
    fill_tables(layer, input, output, all, layer_plan);
    fill_bias(layer, output, constants, layer_plan);
    pack_weights(graph, layer, layer_plan);
    plan.largest_activation = std::max(plan.largest_activation, output.live_count * layer.output.channels * kLanes);
    input = std::move(output);
  }
  return plan;
}

void pack_parameters(const LayerGraph& graph, Plan& plan) {
  for (std::size_t l = 0; l < graph.layers.size(); ++l) {
    const auto bias = graph.bias(graph.layers[l]);
    plan.layers[l].bias.assign(bias.begin(), bias.end());
    plan.layers[l].bias_stride = 0;
    pack_weights(graph, graph.layers[l], plan.layers[l]);
  }
}

}  // namespace vaeguard::networks::lanes
