// Networks: forward, and backward from the tape that forward recorded.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/matrix_view.h"
#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks {

/// What a forward pass records for its backward pass. One tape serves one thread; reuse it to save allocations.
class Tape {
 public:
  virtual ~Tape() = default;
};

/// A differentiable function of rows, whatever computes it. Single-threaded, and safe to call from many threads with a
/// tape each: callers distribute chunks of rows over threads (base/parallel.h). A row's result does not depend on the
/// other rows.
class DifferentiableFunction {
 public:
  virtual ~DifferentiableFunction() = default;
  [[nodiscard]] virtual std::int64_t input_size() const = 0;
  [[nodiscard]] virtual std::int64_t output_size() const = 0;
  /// What computes it, for records.
  [[nodiscard]] virtual std::string_view backend() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Tape> make_tape() const = 0;
  /// inputs [n, in] -> outputs [n, out] (resized), recorded on `tape`.
  virtual void forward(const Matrix& inputs, Matrix& outputs, Tape& tape) const = 0;
  /// Pulls the gradient at the outputs [n, out] of the last forward on `tape` back to the inputs [n, in] (resized).
  virtual void backward(const Matrix& output_gradients, Matrix& input_gradients, Tape& tape) const = 0;
  /// Pushes a tangent at the inputs [n, in] of the last forward on `tape` to the outputs [n, out] (resized): the
  /// Jacobian times the tangent, a directional derivative.
  virtual void tangent(const Matrix& input_tangents, Matrix& output_tangents, Tape& tape) const = 0;
  /// What computes tangents: another than backend() if that has no tangent pass.
  [[nodiscard]] virtual std::string_view tangent_backend() const { return backend(); }
};

/// A layer graph compiled by a backend. A row concatenates the values of all inputs, or all outputs, of the graph.
class Network : public DifferentiableFunction {
 public:
  [[nodiscard]] virtual const LayerGraph& graph() const = 0;
  [[nodiscard]] std::int64_t input_size() const override { return graph().input_size(); }
  [[nodiscard]] std::int64_t output_size() const override { return graph().output_size(); }
};

/// A network whose parameters can be trained.
class TrainableNetwork : public Network {
 public:
  /// Takes new parameters, in the order of LayerGraph::parameters.
  virtual void set_parameters(std::span<const float> parameters) = 0;
  /// As backward, and adds the gradient of each parameter, summed over rows, to `parameter_gradients`.
  /// `input_gradients` may be null.
  virtual void backward_parameters(const Matrix& output_gradients, Matrix* input_gradients,
                                   std::span<float> parameter_gradients, Tape& tape) const = 0;
};

/// The precision of a network. bfloat16 stores weights and the values between layers in 16 bits, with 8 bits of
/// precision, and accumulates in float: for gradients that need not be exact.
enum class Precision { float32, bfloat16 };

/// What a backend can do, and whether it is there.
class Backend {
 public:
  virtual ~Backend() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual std::string description() const = 0;
  /// Whether it is loaded and its device is in this machine: only then can a number have come from it. What is loaded
  /// when it is first used is absent before.
  [[nodiscard]] virtual bool present() const { return true; }
  /// Empty if the graph can be compiled on this machine, else the reason why not.
  [[nodiscard]] virtual std::string unsupported(const LayerGraph& graph,
                                                Precision precision = Precision::float32) const = 0;
  [[nodiscard]] virtual std::shared_ptr<const Network> compile(const LayerGraph& graph,
                                                               Precision precision = Precision::float32) const = 0;
};

/// All backends of this build, best first: native, onednn (if built), those registered, and the reference, which runs
/// everything.
const std::vector<const Backend*>& backends();
/// Adds a backend that lives in another library (torch); call it once, before threads start.
void register_backend(const Backend& backend);
/// The named backend; "auto" is VAEGUARD_BACKEND if set, else the first that supports the graph. Throws Misuse with the
/// reason if the named backend does not support the graph, and with a list of names if there is none of that name.
const Backend& select_backend(std::string_view name, const LayerGraph& graph);
/// select_backend, then compile.
std::shared_ptr<const Network> compile(const LayerGraph& graph, std::string_view backend = "auto");
/// Compiles a trainable network, with the native backend.
std::unique_ptr<TrainableNetwork> compile_trainable(const LayerGraph& graph);

/// Runs forward for many rows, in chunks on `threads` threads.
Matrix forward_all(const DifferentiableFunction& function, const MatrixView& inputs, int threads);

}  // namespace vaeguard::networks
