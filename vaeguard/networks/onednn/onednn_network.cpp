// Running a program: chunks of rows in and out, forward and backward.
#include "vaeguard/networks/onednn/onednn_network.h"

#include <algorithm>

#include "vaeguard/base/error.h"
#include "vaeguard/networks/onednn/program.h"
#include "vaeguard/networks/tangent_fallback.h"

namespace vaeguard::networks {
namespace onednn {
namespace {

constexpr const char* kPlace = "networks.onednn";

// Runs `work` on this thread alone; an error of oneDNN becomes a Failure with oneDNN's message.
template <typename Work>
void guarded(const Work& work) {
  const OneThread one;
  try {
    work();
  } catch (const dnnl::error& error) {
    failure(kPlace, "oneDNN: {}", error.what());
  }
}

// The values that backward needs are kept for all chunks, all others for one. An activation's gradient needs its
// output, or its input where needs_input.
class OneDnnTape : public Tape {
 public:
  explicit OneDnnTape(const Program& program)
      : kept(program.steps.size()),
        values(program.sizes.size()),
        gradients(program.gradients.sizes.size()),
        workspace(program.calls, program.columns) {
    for (std::size_t b = 0; b < values.size(); ++b) {
      values[b].require(program.rows * program.sizes[b]);
    }
    for (std::size_t s = 0; s < gradients.size(); ++s) {
      gradients[s].require(program.gradients.sizes[s]);
    }
    sum.require(program.largest);
  }

  std::int64_t rows = 0;
  TangentFallback::Memory tangent;
  std::vector<Floats> kept;    // [step]: of all chunks
  std::vector<Floats> values;  // [boundary]: of one chunk
  std::vector<Floats> gradients;
  Floats sum;  // a gradient about to be added to an earlier one
  Workspace workspace;
};

class OneDnnNetwork : public Network {
 public:
  explicit OneDnnNetwork(const LayerGraph& graph) : graph_(graph), tangent_(graph_) {
    guarded([this] { program_ = compile_program(graph_); });
  }

  [[nodiscard]] const LayerGraph& graph() const override { return graph_; }
  [[nodiscard]] std::string_view backend() const override { return "onednn"; }
  [[nodiscard]] std::unique_ptr<Tape> make_tape() const override {
    std::unique_ptr<Tape> tape;
    guarded([&] { tape = std::make_unique<OneDnnTape>(program_); });
    return tape;
  }

  void forward(const Matrix& inputs, Matrix& outputs, Tape& generic_tape) const override {
    check_shape(kPlace, "inputs", inputs, -1, graph_.input_size());
    auto& tape = dynamic_cast<OneDnnTape&>(generic_tape);
    tape.rows = inputs.rows();
    tape.tangent.inputs = inputs;
    outputs.resize(inputs.rows(), graph_.output().size());
    const std::int64_t rows = program_.rows;
    const std::int64_t chunks = (inputs.rows() + rows - 1) / rows;
    for (std::size_t l = 0; l < program_.steps.size(); ++l) {
      if (program_.steps[l].activate_gradient) {
        tape.kept[l].require(chunks * program_.rows * program_.sizes[l + 1]);
      }
    }
    guarded([&] {
      for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
        rows_to_images(inputs, chunk * program_.rows, program_.rows, graph_.input(), tape.values.front().data());
        for (std::size_t l = 0; l < program_.steps.size(); ++l) {
          forward_step(l, chunk, tape);
        }
        images_to_rows(value(program_.steps.size(), chunk, tape), chunk * program_.rows, program_.rows, graph_.output(),
                       outputs);
      }
    });
  }

  void backward(const Matrix& output_gradients, Matrix& input_gradients, Tape& generic_tape) const override {
    auto& tape = dynamic_cast<OneDnnTape&>(generic_tape);
    check_shape(kPlace, "output_gradients", output_gradients, tape.rows, graph_.output().size());
    input_gradients.resize(tape.rows, graph_.input_size());
    guarded([&] {
      for (std::int64_t chunk = 0; chunk * program_.rows < tape.rows; ++chunk) {
        float* last = gradient(static_cast<std::int64_t>(program_.steps.size()), tape);
        rows_to_images(output_gradients, chunk * program_.rows, program_.rows, graph_.output(), last);
        bool arrived = false;
        for (std::size_t l = program_.steps.size(); l-- > 0;) {
          arrived |= backward_step(l, chunk, tape);
        }
        if (!arrived) {  // no path leads from the input to the output
          std::fill_n(gradient(0, tape), program_.rows * program_.sizes.front(), 0.0F);
        }
        images_to_rows(gradient(0, tape), chunk * program_.rows, program_.rows, graph_.input(), input_gradients);
      }
    });
  }

  void tangent(const Matrix& input_tangents, Matrix& output_tangents, Tape& tape) const override {
    tangent_.tangent(input_tangents, output_tangents, dynamic_cast<OneDnnTape&>(tape).tangent);
  }
  [[nodiscard]] std::string_view tangent_backend() const override { return tangent_.backend(); }

 private:
  // The values that step l keeps for a chunk.
  float* kept(std::size_t l, std::int64_t chunk, OneDnnTape& tape) const {
    return tape.kept[l].data() + chunk * program_.rows * program_.sizes[l + 1];
  }
  // The values at a boundary: the kept ones if a step keeps its output.
  float* value(std::size_t boundary, std::int64_t chunk, OneDnnTape& tape) const {
    const bool output_kept = boundary > 0 && program_.steps[boundary - 1].activate_gradient &&
                             !needs_input(program_.steps[boundary - 1].layer.activation);
    return output_kept ? kept(boundary - 1, chunk, tape) : tape.values[boundary].data();
  }
  float* gradient(std::int64_t boundary, OneDnnTape& tape) const {
    return tape.gradients[program_.gradients.of_boundary[static_cast<std::size_t>(boundary)]].data();
  }

  void forward_step(std::size_t l, std::int64_t chunk, OneDnnTape& tape) const {
    const Step& step = program_.steps[l];
    if (!step.used) {
      return;
    }
    const float* source = value(static_cast<std::size_t>(step.layer.source()), chunk, tape);
    float* output = value(l + 1, chunk, tape);
    float* sums = needs_input(step.layer.activation) ? kept(l, chunk, tape) : output;
    const std::int64_t from = program_.sizes[static_cast<std::size_t>(step.layer.source())];
    const std::int64_t to = program_.sizes[l + 1];
    if (step.forward) {
      step.forward->run(tape.workspace, source, sums);
    } else if (step.layer.operation == Operation::addition) {
      std::copy_n(source, program_.rows * to, sums);
      add(value(static_cast<std::size_t>(step.layer.sources[1]), chunk, tape), program_.rows * to, sums);
    } else {
      for (std::int64_t b = 0; b < program_.rows; ++b) {
        copy(step.runs, source + b * from, sums + b * to);
      }
    }
    if (step.activate) {
      tape.workspace.calls[*step.activate].run(tape.workspace.stream, {sums, output});
    }
  }

  // Returns whether a gradient reached the network's input.
  bool backward_step(std::size_t l, std::int64_t chunk, OneDnnTape& tape) const {
    const Step& step = program_.steps[l];
    if (!step.used) {
      return false;
    }
    float* output = gradient(static_cast<std::int64_t>(l + 1), tape);
    if (step.activate_gradient) {
      tape.workspace.calls[*step.activate_gradient].run(tape.workspace.stream, {kept(l, chunk, tape), output, output});
    }
    float* source = gradient(step.layer.source(), tape);
    const std::int64_t from = program_.sizes[static_cast<std::size_t>(step.layer.source())];
    const std::int64_t to = program_.sizes[l + 1];
    if (step.layer.operation == Operation::addition) {
      arrive(output, program_.rows * to, step.first_source, source);
      arrive(output, program_.rows * to, step.first_other, gradient(step.layer.sources[1], tape));
    } else if (step.backward) {
      step.backward->run(tape.workspace, output, step.first_source ? source : tape.sum.data());
      if (!step.first_source) {
        add(tape.sum.data(), program_.rows * from, source);
      }
    } else {
      if (step.first_source) {
        std::fill_n(source, program_.rows * from, 0.0F);
      }
      for (std::int64_t b = 0; b < program_.rows; ++b) {
        add_back(step.runs, output + b * to, source + b * from);
      }
    }
    return std::ranges::find(step.layer.sources, 0) != step.layer.sources.end();
  }

  static void arrive(const float* from, std::int64_t size, bool first, float* to) {
    if (first) {
      std::copy_n(from, size, to);
    } else {
      add(from, size, to);
    }
  }

  LayerGraph graph_;
  TangentFallback tangent_;
  Program program_;
};

class OneDnnBackend : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "onednn"; }
  [[nodiscard]] std::string description() const override {
    const auto* version = dnnl_version();
    return fmt::format("oneDNN {}.{}.{} primitives, a few rows at a time", version->major, version->minor,
                       version->patch);
  }
  [[nodiscard]] std::string unsupported(const LayerGraph& graph, Precision precision) const override {
    return precision == Precision::float32 ? onednn::unsupported(graph) : "the backend onednn computes in float32 only";
  }
  [[nodiscard]] std::shared_ptr<const Network> compile(const LayerGraph& graph,
                                                       Precision /*precision*/) const override {
    return std::make_shared<OneDnnNetwork>(graph);
  }
};

}  // namespace
}  // namespace onednn

const Backend& onednn_backend() {
  static const onednn::OneDnnBackend backend;
  return backend;
}

}  // namespace vaeguard::networks
