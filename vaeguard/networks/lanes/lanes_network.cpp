// Running a plan: rows into lanes, layers forward and backward, weight gradients.
#include "vaeguard/networks/lanes/lanes_network.h"

#include <algorithm>

#include "vaeguard/base/error.h"
#include "vaeguard/networks/lanes/plan.h"

namespace vaeguard::networks {
namespace lanes {
namespace {

// Activations of every layer boundary for all groups of the last forward, and scratch for backward.
class LanesTape : public Tape {
 public:
  std::int64_t rows = 0;
  std::vector<AlignedFloats> activations;       // [boundary]: groups x positions x channels x kLanes
  AlignedFloats gradient[2];                    // of one group, before and after a layer
  AlignedFloats right;                          // the transposed side of a weight gradient
  std::vector<AlignedFloats> weight_gradients;  // of each layer as the kernel adds them up, over all groups
};

// rows [n <= kLanes] of `matrix` from `first` on -> [position][channel][kLanes]; missing lanes are zero.
void rows_to_lanes(const Matrix& matrix, std::int64_t first, const ImageShape& shape, float* to) {
  const std::int64_t count = std::min(kLanes, matrix.rows() - first);
  const std::int64_t positions = shape.positions();
  for (std::int64_t c = 0; c < shape.channels; ++c) {
    for (std::int64_t p = 0; p < positions; ++p) {
      float* lane = to + (p * shape.channels + c) * kLanes;
      const float* from = matrix.data() + first * matrix.columns() + c * positions + p;
      for (std::int64_t i = 0; i < count; ++i) {
        lane[i] = from[i * matrix.columns()];
      }
      std::fill(lane + count, lane + kLanes, 0.0F);
    }
  }
}

void lanes_to_rows(const float* from, const ImageShape& shape, std::int64_t first, Matrix& matrix) {
  const std::int64_t count = std::min(kLanes, matrix.rows() - first);
  const std::int64_t positions = shape.positions();
  for (std::int64_t c = 0; c < shape.channels; ++c) {
    for (std::int64_t p = 0; p < positions; ++p) {
      const float* lane = from + (p * shape.channels + c) * kLanes;
      float* to = matrix.data() + first * matrix.columns() + c * positions + p;
      for (std::int64_t i = 0; i < count; ++i) {
        to[i * matrix.columns()] = lane[i];
      }
    }
  }
}

// [position][channel][lane] -> [position][lane][channel], channels padded with zeros.
void transpose_lanes(const float* from, std::int64_t positions, std::int64_t channels, std::int64_t padded, float* to) {
  for (std::int64_t p = 0; p < positions; ++p) {
    const float* block = from + p * channels * kLanes;
    float* out = to + p * padded * kLanes;
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      for (std::int64_t c = 0; c < channels; ++c) {
        out[lane * padded + c] = block[c * kLanes + lane];
      }
      std::fill(out + lane * padded + channels, out + (lane + 1) * padded, 0.0F);
    }
  }
}

class LanesNetwork : public TrainableNetwork {
 public:
  LanesNetwork(LayerGraph graph, Parameters parameters)
      : graph_(std::move(graph)), plan_(make_plan(graph_, parameters)), kernels_(select_kernels()) {}

  [[nodiscard]] const LayerGraph& graph() const override { return graph_; }
  [[nodiscard]] std::string_view backend() const override { return "lanes"; }
  [[nodiscard]] std::unique_ptr<Tape> make_tape() const override {
    auto tape = std::make_unique<LanesTape>();
    tape->activations.resize(graph_.layers.size() + 1);
    tape->weight_gradients.resize(graph_.layers.size());
    return tape;
  }

  void forward(const Matrix& inputs, Matrix& outputs, Tape& generic_tape) const override {
    check_shape("networks.lanes", "inputs", inputs, -1, graph_.input.size());
    auto& tape = dynamic_cast<LanesTape&>(generic_tape);
    tape.rows = inputs.rows();
    outputs.resize(inputs.rows(), graph_.output().size());
    const std::int64_t groups = (inputs.rows() + kLanes - 1) / kLanes;
    for (std::size_t l = 0; l < tape.activations.size(); ++l) {
      tape.activations[l].require(groups * boundary_size(l));
    }
    for (std::int64_t g = 0; g < groups; ++g) {
      rows_to_lanes(inputs, g * kLanes, graph_.input, activation(tape, 0, g));
      for (std::size_t l = 0; l < graph_.layers.size(); ++l) {
        forward_layer(l, activation(tape, l, g), activation(tape, l + 1, g));
      }
      lanes_to_rows(activation(tape, graph_.layers.size(), g), graph_.output(), g * kLanes, outputs);
    }
  }

  void backward(const Matrix& output_gradients, Matrix& input_gradients, Tape& tape) const override {
    run_backward(output_gradients, &input_gradients, {}, dynamic_cast<LanesTape&>(tape));
  }

  void backward_parameters(const Matrix& output_gradients, Matrix* input_gradients,
                           std::span<float> parameter_gradients, Tape& tape) const override {
    if (parameter_gradients.size() != graph_.parameters.size()) {
      misuse("networks.lanes", "parameter_gradients must have {} values, got {}", graph_.parameters.size(),
             parameter_gradients.size());
    }
    run_backward(output_gradients, input_gradients, parameter_gradients, dynamic_cast<LanesTape&>(tape));
  }

  void set_parameters(std::span<const float> parameters) override {
    if (parameters.size() != graph_.parameters.size()) {
      misuse("networks.lanes", "parameters must have {} values, got {}", graph_.parameters.size(), parameters.size());
    }
    std::ranges::copy(parameters, graph_.parameters.begin());
    pack_parameters(graph_, plan_);
  }

 private:
  // Floats of one group at boundary l (0 is the network's input).
  [[nodiscard]] std::int64_t boundary_size(std::size_t l) const {
    return l == 0 ? graph_.input.size() * kLanes
                  : plan_.layers[l - 1].output_positions * graph_.layers[l - 1].output.channels * kLanes;
  }
  float* activation(LanesTape& tape, std::size_t boundary, std::int64_t group) const {
    return tape.activations[boundary].data() + group * boundary_size(boundary);
  }

  void forward_layer(std::size_t l, const float* input, float* output) const {
    const Layer& layer = graph_.layers[l];
    const LayerPlan& plan = plan_.layers[l];
    kernels_.gather({.positions = plan.output_positions,
                     .first_term = plan.forward.first.data(),
                     .terms = plan.forward.terms.data(),
                     .taps = static_cast<std::int64_t>(layer.kernel) * layer.kernel,
                     .input_channels = layer.input.channels,
                     .output_channels = layer.output.channels,
                     .weights = plan.forward_weights.data(),
                     .bias = plan.bias.data(),
                     .bias_stride = plan.bias_stride,
                     .relu = layer.activation == Activation::relu,
                     .mask = nullptr,
                     .input = input,
                     .output = output});
  }

  // The gradient at the layer's input, masked by the activation that made that input (null for the network's input).
  void backward_layer(std::size_t l, const float* output_gradient, const float* mask, float* input_gradient) const {
    const Layer& layer = graph_.layers[l];
    const LayerPlan& plan = plan_.layers[l];
    kernels_.gather({.positions = plan.input_positions,
                     .first_term = plan.backward.first.data(),
                     .terms = plan.backward.terms.data(),
                     .taps = static_cast<std::int64_t>(layer.kernel) * layer.kernel,
                     .input_channels = layer.output.channels,
                     .output_channels = layer.input.channels,
                     .weights = plan.backward_weights.data(),
                     .bias = nullptr,
                     .bias_stride = 0,
                     .relu = false,
                     .mask = mask,
                     .input = output_gradient,
                     .output = input_gradient});
  }

  void run_backward(const Matrix& output_gradients, Matrix* input_gradients, std::span<float> parameter_gradients,
                    LanesTape& tape) const {
    check_shape("networks.lanes", "output_gradients", output_gradients, tape.rows, graph_.output().size());
    if (input_gradients != nullptr) {
      input_gradients->resize(tape.rows, graph_.input.size());
    }
    tape.gradient[0].require(plan_.largest_activation);
    tape.gradient[1].require(plan_.largest_activation);
    for (std::size_t l = 0; l < graph_.layers.size() && !parameter_gradients.empty(); ++l) {
      std::fill_n(tape.weight_gradients[l].require(gradient_size(l)), gradient_size(l), 0.0F);
    }
    for (std::int64_t first = 0; first < tape.rows; first += kLanes) {
      backward_group(output_gradients, first, input_gradients, parameter_gradients, tape);
    }
    for (std::size_t l = 0; l < graph_.layers.size() && !parameter_gradients.empty(); ++l) {
      add_weight_gradient(l, tape.weight_gradients[l].data(), parameter_gradients);
    }
  }

  void backward_group(const Matrix& output_gradients, std::int64_t first, Matrix* input_gradients,
                      std::span<float> parameter_gradients, LanesTape& tape) const {
    const std::int64_t group = first / kLanes;
    const std::size_t depth = graph_.layers.size();
    float* gradient = tape.gradient[0].data();
    float* next = tape.gradient[1].data();
    rows_to_lanes(output_gradients, first, graph_.output(), gradient);
    if (graph_.layers.back().activation == Activation::relu) {
      const float* output = activation(tape, depth, group);
      for (std::int64_t i = 0; i < boundary_size(depth); ++i) {
        gradient[i] = output[i] > 0.0F ? gradient[i] : 0.0F;
      }
    }
    for (std::size_t l = depth; l-- > 0;) {
      if (!parameter_gradients.empty()) {
        add_parameter_gradients(l, activation(tape, l, group), gradient, parameter_gradients, tape);
      }
      if (l == 0 && input_gradients == nullptr) {
        break;
      }
      const bool masked = l > 0 && graph_.layers[l - 1].activation == Activation::relu;
      backward_layer(l, gradient, masked ? activation(tape, l, group) : nullptr, next);
      std::swap(gradient, next);
    }
    if (input_gradients != nullptr) {
      lanes_to_rows(gradient, graph_.input, first, *input_gradients);
    }
  }

  // Adds one group to the layer's bias gradient and, in the kernel's order, to its weight gradient.
  void add_parameter_gradients(std::size_t l, const float* input, const float* output_gradient,
                               std::span<float> gradients, LanesTape& tape) const {
    const Layer& layer = graph_.layers[l];
    const LayerPlan& plan = plan_.layers[l];
    float* bias = gradients.data() + layer.bias_offset;
    for (std::int64_t p = 0; p < plan.output_positions; ++p) {
      for (std::int64_t c = 0; c < layer.output.channels; ++c) {
        const float* lane = output_gradient + (p * layer.output.channels + c) * kLanes;
        float sum = 0.0F;
        for (std::int64_t i = 0; i < kLanes; ++i) {
          sum += lane[i];
        }
        bias[c] += sum;
      }
    }
    const bool right_is_output = plan.right_is_output;
    const std::int64_t right_positions = right_is_output ? plan.output_positions : plan.input_positions;
    float* right = tape.right.require(right_positions * plan.right_channels * kLanes);
    transpose_lanes(right_is_output ? output_gradient : input, right_positions,
                    (right_is_output ? layer.output : layer.input).channels, plan.right_channels, right);
    kernels_.outer({.taps = static_cast<std::int64_t>(layer.kernel) * layer.kernel,
                    .first_pair = plan.pairs.first.data(),
                    .pairs = plan.pairs.terms.data(),
                    .left_channels = left_channels(l),
                    .right_channels = plan.right_channels,
                    .left = right_is_output ? input : output_gradient,
                    .right = right,
                    .gradient = tape.weight_gradients[l].data()});
  }

  [[nodiscard]] std::int64_t left_channels(std::size_t l) const {
    return (plan_.layers[l].right_is_output ? graph_.layers[l].input : graph_.layers[l].output).channels;
  }
  // Floats of a layer's weight gradient as the kernel lays it: [tap][left channel][padded right channel].
  [[nodiscard]] std::int64_t gradient_size(std::size_t l) const {
    return static_cast<std::int64_t>(graph_.layers[l].kernel) * graph_.layers[l].kernel * left_channels(l) *
           plan_.layers[l].right_channels;
  }

  // From the kernel's order to the layer's own.
  void add_weight_gradient(std::size_t l, const float* gradient, std::span<float> gradients) const {
    const Layer& layer = graph_.layers[l];
    const LayerPlan& plan = plan_.layers[l];
    const bool right_is_output = plan.right_is_output;
    const std::int64_t right = (right_is_output ? layer.output : layer.input).channels;
    const std::int64_t taps = static_cast<std::int64_t>(layer.kernel) * layer.kernel;
    float* weight = gradients.data() + layer.weight_offset;
    for (std::int64_t a = 0; a < left_channels(l); ++a) {
      for (std::int64_t b = 0; b < right; ++b) {
        const std::int64_t begin = right_is_output ? layer.weight_index(b, a, 0) : layer.weight_index(a, b, 0);
        for (std::int64_t t = 0; t < taps; ++t) {
          weight[begin + t] += gradient[(t * left_channels(l) + a) * plan.right_channels + b];
        }
      }
    }
  }

  LayerGraph graph_;
  Plan plan_;
  const Kernels& kernels_;
};

class LanesBackend : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "lanes"; }
  [[nodiscard]] std::string description() const override {
    return fmt::format("sixteen rows side by side in vector registers ({})", select_kernels().name);
  }
  [[nodiscard]] std::string unsupported(const LayerGraph& graph) const override {
    return graph.layers.empty() ? "the graph has no layers" : "";
  }
  [[nodiscard]] std::shared_ptr<const Network> compile(const LayerGraph& graph) const override {
    return std::make_shared<LanesNetwork>(graph, Parameters::fixed);
  }
};

}  // namespace
}  // namespace lanes

const Backend& lanes_backend() {
  static const lanes::LanesBackend backend;
  return backend;
}

std::unique_ptr<TrainableNetwork> compile_trainable(const LayerGraph& graph) {
  return std::make_unique<lanes::LanesNetwork>(graph, lanes::Parameters::trainable);
}

}  // namespace vaeguard::networks
