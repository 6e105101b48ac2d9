// Running a plan: rows into buffers, steps forward and backward, parameter gradients.
#include "vaeguard/networks/native/native_network.h"

#include <algorithm>

#include "vaeguard/base/error.h"
#include "vaeguard/networks/native/plan.h"

namespace vaeguard::networks {
namespace native {
namespace {

// Rows that pass through all layers together, so that what they leave stays in the cache.
constexpr std::int64_t kGroupRows = 8;

class NativeTape : public Tape {
 public:
  std::int64_t rows = 0;
  std::vector<AlignedFloats> values;     // of each buffer, all rows of the last forward
  std::vector<AlignedFloats> gradients;  // of each slot, one group
  std::vector<AlignedFloats> weight_gradients;
  AlignedFloats scratch;
  std::vector<float*> value_pointers;
  std::vector<float*> gradient_pointers;
};

// `count` rows [channel, position] of a matrix from `first` on -> [position, channel].
void rows_to_positions(const Matrix& matrix, std::int64_t first, std::int64_t count, const ImageShape& shape,
                       float* to) {
  const std::int64_t positions = shape.positions();
  for (std::int64_t i = 0; i < count; ++i) {
    const float* from = matrix.data() + (first + i) * matrix.columns();
    float* row = to + i * shape.size();
    if (positions == 1 || shape.channels == 1) {
      std::copy_n(from, shape.size(), row);
      continue;
    }
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      for (std::int64_t p = 0; p < positions; ++p) {
        row[p * shape.channels + c] = from[c * positions + p];
      }
    }
  }
}

void positions_to_rows(const float* from, std::int64_t count, const ImageShape& shape, std::int64_t first,
                       Matrix& matrix) {
  const std::int64_t positions = shape.positions();
  for (std::int64_t i = 0; i < count; ++i) {
    const float* row = from + i * shape.size();
    float* to = matrix.data() + (first + i) * matrix.columns();
    if (positions == 1 || shape.channels == 1) {
      std::copy_n(row, shape.size(), to);
      continue;
    }
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      for (std::int64_t p = 0; p < positions; ++p) {
        to[c * positions + p] = row[p * shape.channels + c];
      }
    }
  }
}

class NativeNetwork : public TrainableNetwork {
 public:
  NativeNetwork(LayerGraph graph, Parameters parameters)
      : graph_(std::move(graph)), plan_(make_plan(graph_, parameters, select_kernels())) {}

  [[nodiscard]] const LayerGraph& graph() const override { return graph_; }
  [[nodiscard]] std::string_view backend() const override { return "native"; }
  [[nodiscard]] std::unique_ptr<Tape> make_tape() const override {
    auto tape = std::make_unique<NativeTape>();
    tape->values.resize(plan_.buffers.size());
    tape->value_pointers.resize(plan_.buffers.size());
    tape->gradient_pointers.resize(plan_.buffers.size());
    tape->gradients.resize(plan_.slot_size.size());
    tape->weight_gradients.resize(plan_.weighted.size());
    return tape;
  }

  void forward(const Matrix& inputs, Matrix& outputs, Tape& generic_tape) const override {
    check_shape("networks.native", "inputs", inputs, -1, graph_.input.size());
    auto& tape = dynamic_cast<NativeTape&>(generic_tape);
    tape.rows = inputs.rows();
    outputs.resize(inputs.rows(), graph_.output().size());
    for (std::size_t b = 0; b < plan_.buffers.size(); ++b) {
      tape.values[b].require(inputs.rows() * plan_.buffers[b].size());
    }
    for (std::int64_t first = 0; first < tape.rows; first += kGroupRows) {
      const Group group = group_at(first, tape);
      rows_to_positions(inputs, first, group.rows, graph_.input, group.values[0]);
      for (const auto& step : plan_.steps) {
        step->forward(group);
      }
      positions_to_rows(group.values[plan_.output], group.rows, graph_.output(), first, outputs);
    }
  }

  void backward(const Matrix& output_gradients, Matrix& input_gradients, Tape& tape) const override {
    run_backward(output_gradients, &input_gradients, {}, dynamic_cast<NativeTape&>(tape));
  }

  void backward_parameters(const Matrix& output_gradients, Matrix* input_gradients,
                           std::span<float> parameter_gradients, Tape& tape) const override {
    check_parameters("parameter_gradients", parameter_gradients.size());
    run_backward(output_gradients, input_gradients, parameter_gradients, dynamic_cast<NativeTape&>(tape));
  }

  void set_parameters(std::span<const float> parameters) override {
    check_parameters("parameters", parameters.size());
    std::ranges::copy(parameters, graph_.parameters.begin());
    for (WeightedStep* step : plan_.weighted) {
      step->set_parameters(graph_);
    }
  }

 private:
  void check_parameters(std::string_view what, std::size_t count) const {
    if (count != graph_.parameters.size()) {
      misuse("networks.native", "{} must have {} values, got {}", what, graph_.parameters.size(), count);
    }
  }

  [[nodiscard]] Group group_at(std::int64_t first, NativeTape& tape) const {
    for (std::size_t b = 0; b < plan_.buffers.size(); ++b) {
      tape.value_pointers[b] = tape.values[b].data() + first * plan_.buffers[b].size();
    }
    return {.rows = std::min(kGroupRows, tape.rows - first),
            .values = tape.value_pointers,
            .gradients = tape.gradient_pointers,
            .scratch = &tape.scratch};
  }

  void run_backward(const Matrix& output_gradients, Matrix* input_gradients, std::span<float> parameter_gradients,
                    NativeTape& tape) const {
    check_shape("networks.native", "output_gradients", output_gradients, tape.rows, graph_.output().size());
    if (input_gradients != nullptr) {
      input_gradients->resize(tape.rows, graph_.input.size());
    }
    for (std::size_t b = 0; b < plan_.buffers.size(); ++b) {
      const std::size_t slot = plan_.gradient_slot[b];
      const bool wanted = slot < plan_.slot_size.size() && (b > 0 || input_gradients != nullptr);
      tape.gradient_pointers[b] = wanted ? tape.gradients[slot].require(kGroupRows * plan_.slot_size[slot]) : nullptr;
    }
    for (std::size_t i = 0; i < plan_.weighted.size() && !parameter_gradients.empty(); ++i) {
      const std::int64_t size = plan_.weighted[i]->gradient_size();
      std::fill_n(tape.weight_gradients[i].require(size), size, 0.0F);
    }
    for (std::int64_t first = 0; first < tape.rows; first += kGroupRows) {
      backward_group(output_gradients, first, input_gradients, parameter_gradients, tape);
    }
    for (std::size_t i = 0; i < plan_.weighted.size() && !parameter_gradients.empty(); ++i) {
      plan_.weighted[i]->unpack_gradient(tape.weight_gradients[i].data(), parameter_gradients);
    }
  }

  void backward_group(const Matrix& output_gradients, std::int64_t first, Matrix* input_gradients,
                      std::span<float> parameter_gradients, NativeTape& tape) const {
    const Group group = group_at(first, tape);
    float* gradient = group.gradients[plan_.output];
    rows_to_positions(output_gradients, first, group.rows, graph_.output(), gradient);
    if (plan_.buffers[plan_.output].rectified) {
      const float* output = group.values[plan_.output];
      for (std::int64_t i = 0; i < group.rows * graph_.output().size(); ++i) {
        gradient[i] = output[i] > 0.0F ? gradient[i] : 0.0F;
      }
    }
    std::size_t weighted = plan_.weighted.size();
    for (std::size_t s = plan_.steps.size(); s-- > 0;) {
      const Step* step = plan_.steps[s].get();
      if (!parameter_gradients.empty() && weighted > 0 && plan_.weighted[weighted - 1] == step) {
        --weighted;
        plan_.weighted[weighted]->add_gradients(group, tape.weight_gradients[weighted].data(), parameter_gradients);
      }
      step->backward(group);
    }
    if (input_gradients != nullptr) {
      positions_to_rows(group.gradients[0], group.rows, graph_.input, first, *input_gradients);
    }
  }

  LayerGraph graph_;
  Plan plan_;
};

class NativeBackend : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "native"; }
  [[nodiscard]] std::string description() const override {
    return fmt::format("own kernels, matrix products over gathered inputs ({})", select_kernels().name);
  }
  [[nodiscard]] std::string unsupported(const LayerGraph& graph) const override {
    return graph.layers.empty() ? "the graph has no layers" : "";
  }
  [[nodiscard]] std::shared_ptr<const Network> compile(const LayerGraph& graph) const override {
    return std::make_shared<NativeNetwork>(graph, Parameters::fixed);
  }
};

}  // namespace
}  // namespace native

const Backend& native_backend() {
  static const native::NativeBackend backend;
  return backend;
}

std::unique_ptr<TrainableNetwork> compile_trainable(const LayerGraph& graph) {
  return std::make_unique<native::NativeNetwork>(graph, native::Parameters::trainable);
}

}  // namespace vaeguard::networks
