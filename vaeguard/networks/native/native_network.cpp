// Running a plan: rows into buffers, steps forward and backward, parameter gradients.
#include "vaeguard/networks/native/native_network.h"

#include <algorithm>

#include "vaeguard/base/error.h"
#include "vaeguard/networks/native/bfloat16.h"
#include "vaeguard/networks/native/plan.h"

namespace vaeguard::networks {
namespace native {
namespace {

constexpr const char* kPlace = "networks.native";

// Rows that pass through all layers together: few enough that one layer's output stays in the cache for the next.
std::int64_t rows_of_group(const Plan& plan) {
  constexpr std::int64_t kMost = 8;
  constexpr std::int64_t kFloats = 128 * 1024;  // half a megabyte in the widest buffer
  std::int64_t widest = 1;
  for (const Buffer& buffer : plan.buffers) {
    widest = std::max(widest, buffer.size());
  }
  std::int64_t rows = kMost;
  while (rows > 1 && rows * widest > kFloats) {
    rows /= 2;
  }
  return rows;
}

class NativeTape : public Tape {
 public:
  std::int64_t rows = 0;
  std::vector<AlignedFloats> values;     // of each buffer, all rows of the last forward, or one group
  std::vector<AlignedFloats> gradients;  // of each slot, one group
  std::vector<AlignedFloats> tangents;   // of each buffer, one group
  std::vector<AlignedFloats> slopes;     // of each buffer that has them, all rows of the last forward
  std::vector<AlignedFloats> weight_gradients;
  AlignedFloats scratch;
  std::vector<float*> value_pointers;
  std::vector<float*> gradient_pointers;
  std::vector<float*> tangent_pointers;
  std::vector<float*> slope_pointers;
};

void put(float value, float& to) { to = value; }
void put(float value, Half& to) { to = to_bfloat16(value); }

// Some neighbouring rows of a matrix, and the columns that hold one boundary's values.
struct Block {
  std::int64_t first_row;
  std::int64_t rows;
  std::int64_t first_column;
};

// Rows [channel, position] of a matrix -> [position, channel].
template <typename Value>
void rows_to_positions(const Matrix& matrix, const Block& block, const ImageShape& shape, Value* to) {
  const std::int64_t positions = shape.positions();
  for (std::int64_t i = 0; i < block.rows; ++i) {
    const float* from = matrix.data() + (block.first_row + i) * matrix.columns() + block.first_column;
    Value* row = to + i * shape.size();
    if (positions == 1 || shape.channels == 1) {
      for (std::int64_t j = 0; j < shape.size(); ++j) {
        put(from[j], row[j]);
      }
      continue;
    }
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      for (std::int64_t p = 0; p < positions; ++p) {
        put(from[c * positions + p], row[p * shape.channels + c]);
      }
    }
  }
}

void rows_to_positions(const Matrix& matrix, const Block& block, const ImageShape& shape, Element element, float* to) {
  if (element == Element::bfloat16) {
    rows_to_positions(matrix, block, shape, reinterpret_cast<Half*>(to));
  } else {
    rows_to_positions(matrix, block, shape, to);
  }
}

void positions_to_rows(const float* from, const Block& block, const ImageShape& shape, Matrix& matrix) {
  const std::int64_t positions = shape.positions();
  for (std::int64_t i = 0; i < block.rows; ++i) {
    const float* row = from + i * shape.size();
    float* to = matrix.data() + (block.first_row + i) * matrix.columns() + block.first_column;
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

void fill_columns(float value, const Block& block, const ImageShape& shape, Matrix& matrix) {
  for (std::int64_t i = 0; i < block.rows; ++i) {
    std::fill_n(matrix.row(block.first_row + i).begin() + block.first_column, shape.size(), value);
  }
}

// Passes a gradient [count] back through an activation with these derivatives.
void scale(const float* slopes, std::int64_t count, float* gradient) {
  for (std::int64_t i = 0; i < count; ++i) {
    gradient[i] *= slopes[i];
  }
}

// Zeroes the gradient where the values [count] of a fused ReLU are zero.
void mask(const float* values, Element element, std::int64_t count, float* gradient) {
  auto* halves = reinterpret_cast<Half*>(gradient);
  for (std::int64_t i = 0; i < count; ++i) {
    if (values[i] > 0.0F) {
      continue;
    }
    if (element == Element::bfloat16) {
      halves[i] = 0;
    } else {
      gradient[i] = 0.0F;
    }
  }
}

class NativeNetwork : public TrainableNetwork {
 public:
  NativeNetwork(LayerGraph graph, Parameters parameters, Precision precision = Precision::float32)
      : graph_(std::move(graph)),
        outputs_(graph_.output_boundaries()),
        plan_(make_plan(graph_, parameters, kernels(precision), precision)),
        group_rows_(rows_of_group(plan_)) {}

  [[nodiscard]] const LayerGraph& graph() const override { return graph_; }
  [[nodiscard]] std::string_view backend() const override { return "native"; }
  [[nodiscard]] std::unique_ptr<Tape> make_tape() const override {
    auto tape = std::make_unique<NativeTape>();
    tape->values.resize(plan_.buffers.size());
    tape->value_pointers.resize(plan_.buffers.size());
    tape->gradient_pointers.resize(plan_.buffers.size());
    tape->tangents.resize(plan_.buffers.size());
    tape->tangent_pointers.resize(plan_.buffers.size());
    tape->slopes.resize(plan_.buffers.size());
    tape->slope_pointers.resize(plan_.buffers.size());
    tape->gradients.resize(plan_.slot_size.size());
    tape->weight_gradients.resize(plan_.weighted.size());
    return tape;
  }

  void forward(const Matrix& inputs, Matrix& outputs, Tape& generic_tape) const override {
    check_shape(kPlace, "inputs", inputs, -1, graph_.input_size());
    auto& tape = dynamic_cast<NativeTape&>(generic_tape);
    tape.rows = inputs.rows();
    outputs.resize(inputs.rows(), graph_.output_size());
    for (std::size_t b = 0; b < plan_.buffers.size(); ++b) {
      const Buffer& buffer = plan_.buffers[b];
      tape.values[b].require((buffer.kept ? inputs.rows() : group_rows_) * buffer.value_floats());
      if (buffer.sloped) {
        tape.slopes[b].require(inputs.rows() * buffer.size());
      }
    }
    for (std::int64_t first = 0; first < tape.rows; first += group_rows_) {
      const Group group = group_at(first, tape);
      read_inputs(inputs, first, group.rows, group.values);
      for (const auto& step : plan_.steps) {
        step->forward(group);
      }
      write_outputs(group.values, first, group.rows, outputs);
    }
  }

  void tangent(const Matrix& input_tangents, Matrix& output_tangents, Tape& generic_tape) const override {
    auto& tape = dynamic_cast<NativeTape&>(generic_tape);
    check_shape(kPlace, "input_tangents", input_tangents, tape.rows, graph_.input_size());
    output_tangents.resize(tape.rows, graph_.output_size());
    for (std::size_t b = 0; b < plan_.buffers.size(); ++b) {
      tape.tangent_pointers[b] = tape.tangents[b].require(group_rows_ * plan_.buffers[b].value_floats());
    }
    for (std::int64_t first = 0; first < tape.rows; first += group_rows_) {
      const Group group = group_at(first, tape);
      read_inputs(input_tangents, first, group.rows, group.tangents);
      for (const auto& step : plan_.steps) {
        step->tangent(group);
      }
      write_outputs(group.tangents, first, group.rows, output_tangents);
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
  static const Kernels& kernels(Precision precision) {
    return precision == Precision::float32 ? select_kernels() : *select_bfloat16_kernels().kernels;
  }

  void check_parameters(std::string_view what, std::size_t count) const {
    if (count != graph_.parameters.size()) {
      misuse(kPlace, "{} must have {} values, got {}", what, graph_.parameters.size(), count);
    }
  }

  [[nodiscard]] Group group_at(std::int64_t first, NativeTape& tape) const {
    for (std::size_t b = 0; b < plan_.buffers.size(); ++b) {
      const Buffer& buffer = plan_.buffers[b];
      tape.value_pointers[b] = tape.values[b].data() + (buffer.kept ? first * buffer.value_floats() : 0);
      tape.slope_pointers[b] = buffer.sloped ? tape.slopes[b].data() + first * buffer.size() : nullptr;
    }
    return {.rows = std::min(group_rows_, tape.rows - first),
            .values = tape.value_pointers,
            .gradients = tape.gradient_pointers,
            .tangents = tape.tangent_pointers,
            .slopes = tape.slope_pointers,
            .scratch = &tape.scratch};
  }

  void read_inputs(const Matrix& matrix, std::int64_t first, std::int64_t rows, std::span<float* const> buffers) const {
    std::int64_t column = 0;
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      rows_to_positions(matrix, {first, rows, column}, graph_.inputs[i], plan_.buffers[i].values, buffers[i]);
      column += graph_.inputs[i].size();
    }
  }

  void write_outputs(std::span<float* const> buffers, std::int64_t first, std::int64_t rows, Matrix& matrix) const {
    std::int64_t column = 0;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const ImageShape shape = graph_.boundary(outputs_[i]);
      positions_to_rows(buffers[plan_.outputs[i]], {first, rows, column}, shape, matrix);
      column += shape.size();
    }
  }

  // Outputs that are the same boundary share a gradient, to which each adds its own.
  void read_output_gradients(const Matrix& matrix, std::int64_t first, const Group& group) const {
    std::int64_t column = 0;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const ImageShape shape = graph_.boundary(outputs_[i]);
      const std::int64_t count = group.rows * shape.size();
      const Buffer& buffer = plan_.buffers[plan_.outputs[i]];
      float* gradient = group.gradients[plan_.outputs[i]];
      if (gradient != nullptr) {
        const auto before = plan_.outputs.begin() + static_cast<std::ptrdiff_t>(i);
        const bool again = std::find(plan_.outputs.begin(), before, plan_.outputs[i]) != before;
        float* to = again ? group.scratch->require(count) : gradient;
        rows_to_positions(matrix, {first, group.rows, column}, shape, buffer.gradients, to);
        if (buffer.rectified) {
          mask(group.values[plan_.outputs[i]], buffer.gradients, count, to);
        } else if (buffer.sloped) {
          scale(group.slopes[plan_.outputs[i]], count, to);
        }
        for (std::int64_t j = 0; again && j < count; ++j) {
          gradient[j] += to[j];
        }
      }
      column += shape.size();
    }
  }

  void write_input_gradients(const Group& group, std::int64_t first, Matrix& matrix) const {
    std::int64_t column = 0;
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      const Block block{first, group.rows, column};
      if (group.gradients[i] == nullptr) {  // no output depends on it
        fill_columns(0.0F, block, graph_.inputs[i], matrix);
      } else {
        positions_to_rows(group.gradients[i], block, graph_.inputs[i], matrix);
      }
      column += graph_.inputs[i].size();
    }
  }

  void run_backward(const Matrix& output_gradients, Matrix* input_gradients, std::span<float> parameter_gradients,
                    NativeTape& tape) const {
    check_shape(kPlace, "output_gradients", output_gradients, tape.rows, graph_.output_size());
    if (input_gradients != nullptr) {
      input_gradients->resize(tape.rows, graph_.input_size());
    }
    for (std::size_t b = 0; b < plan_.buffers.size(); ++b) {
      const std::size_t slot = plan_.gradient_slot[b];
      const bool wanted = slot < plan_.slot_size.size() && (b >= graph_.inputs.size() || input_gradients != nullptr);
      tape.gradient_pointers[b] = wanted ? tape.gradients[slot].require(group_rows_ * plan_.slot_size[slot]) : nullptr;
    }
    for (std::size_t i = 0; i < plan_.weighted.size() && !parameter_gradients.empty(); ++i) {
      const std::int64_t size = plan_.weighted[i]->gradient_size();
      std::fill_n(tape.weight_gradients[i].require(size), size, 0.0F);
    }
    for (std::int64_t first = 0; first < tape.rows; first += group_rows_) {
      backward_group(output_gradients, first, input_gradients, parameter_gradients, tape);
    }
    for (std::size_t i = 0; i < plan_.weighted.size() && !parameter_gradients.empty(); ++i) {
      plan_.weighted[i]->unpack_gradient(tape.weight_gradients[i].data(), parameter_gradients);
    }
  }

  void backward_group(const Matrix& output_gradients, std::int64_t first, Matrix* input_gradients,
                      std::span<float> parameter_gradients, NativeTape& tape) const {
    const Group group = group_at(first, tape);
    read_output_gradients(output_gradients, first, group);
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
      write_input_gradients(group, first, *input_gradients);
    }
  }

  LayerGraph graph_;
  std::vector<std::int64_t> outputs_;  // boundaries
  Plan plan_;
  std::int64_t group_rows_;
};

class NativeBackend : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "native"; }
  [[nodiscard]] std::string description() const override {
    const Kernels& kernels = select_kernels();
    const Kernels* bfloat16 = select_bfloat16_kernels().kernels;
    return fmt::format("own kernels, matrix products over gathered inputs ({}{})", kernels.name,
                       bfloat16 == nullptr    ? ""
                       : bfloat16 == &kernels ? ", bfloat16 emulated"
                                              : fmt::format(", bfloat16 by {}", bfloat16->name));
  }
  [[nodiscard]] std::string unsupported(const LayerGraph& graph, Precision precision) const override {
    const std::string reason = defect(graph);
    return !reason.empty() || precision == Precision::float32 ? reason : unsupported_in_bfloat16(graph);
  }
  [[nodiscard]] std::shared_ptr<const Network> compile(const LayerGraph& graph, Precision precision) const override {
    return std::make_shared<NativeNetwork>(graph, Parameters::fixed, precision);
  }

 private:
  static std::string unsupported_in_bfloat16(const LayerGraph& graph) {
    const Bfloat16Kernels& chosen = select_bfloat16_kernels();
    if (chosen.kernels == nullptr) {
      return chosen.refusal;
    }
    if (graph.inputs.size() > 1 || !graph.outputs.empty()) {
      return "bfloat16 needs a chain of layers with one input, the last of which is the only output";
    }
    for (std::size_t l = 0; l < graph.layers.size(); ++l) {
      const Layer& layer = graph.layers[l];
      if (!layer.weighted() || layer.groups != 1 || layer.source() != static_cast<std::int64_t>(l) ||
          (layer.activation != Activation::none && layer.activation != Activation::relu)) {
        return fmt::format(
            "bfloat16 needs a chain of convolutions of one group with relu or no activation; layer {}: {}", l,
            describe(layer));
      }
    }
    return "";
  }
};

}  // namespace
}  // namespace native

const Backend& native_backend() {
  static const native::NativeBackend backend;
  return backend;
}

std::unique_ptr<TrainableNetwork> compile_trainable(const LayerGraph& graph) {
  if (const std::string reason = defect(graph); !reason.empty()) {
    misuse(native::kPlace, "cannot train this graph: {}", reason);
  }
  return std::make_unique<native::NativeNetwork>(graph, native::Parameters::trainable);
}

}  // namespace vaeguard::networks
