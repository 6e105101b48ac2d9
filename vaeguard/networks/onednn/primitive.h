// The parts of oneDNN in use, convolutions and eltwise functions, as calls; for the sources of this folder only.
#pragma once

#include <dnnl.hpp>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks::onednn {

/// The type of activations and weights in memory.
inline constexpr dnnl::memory::data_type kMemoryType = dnnl::memory::data_type::f32;

/// oneDNN's engine for the CPU.
const dnnl::engine& engine();

/// Keeps oneDNN on the calling thread. Its primitives fork as many threads as OpenMP would give the caller (Debian's
/// library uses OpenMP), both when created and when run. That number is a setting of the calling thread, so setting it
/// to one affects no other, and it is restored at the end of the scope.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

/// A primitive with its constant operands, shared by all threads.
struct Call {
  dnnl::primitive primitive;
  std::vector<std::pair<int, dnnl::memory>> constants;       // weights and biases
  std::vector<std::pair<int, dnnl::memory::desc>> operands;  // in the order in which BoundCall::run takes them
  dnnl::memory::desc scratch;
  std::string name;  // of oneDNN's implementation
};

/// A call with one thread's memory objects, so that running it allocates nothing here.
class BoundCall {
 public:
  BoundCall(const Call& call, void* scratch);
  /// One pointer for each operand of the call. Inputs are not written to.
  void run(const dnnl::stream& stream, std::initializer_list<const float*> operands);

 private:
  dnnl_primitive_t primitive_;
  std::vector<dnnl::memory> memory_;  // operands first
  std::vector<dnnl_exec_arg_t> arguments_;
  std::size_t operands_;
};

/// A convolution from `input` to `output`, `rows` images each as [row, column, channel], with weights
/// [group][output][input][kernel][kernel].
struct Convolution {
  std::int64_t rows;
  ImageShape input;
  ImageShape output;
  int kernel = 1;
  int stride = 1;
  int padding = 0;
  int dilation = 1;
  int groups = 1;
};

/// input -> activation(convolution + bias). `bias` may be empty.
Call convolution_call(const Convolution& convolution, std::span<const float> weights, std::span<const float> bias,
                      Activation activation, double slope);
/// Gradient at the convolution's output -> gradient at its input.
Call convolution_transpose_call(const Convolution& convolution, std::span<const float> weights);
/// Whether oneDNN supports such a convolution, forward and backward.
bool supported(const Convolution& convolution);

/// values -> f(values), `size` of them.
Call activation_call(Activation activation, double slope, std::int64_t size);
/// (saved, gradient) -> gradient before the activation. `saved` is its input if needs_input, else its output.
Call activation_gradient_call(Activation activation, double slope, std::int64_t size);
/// Whether the derivative needs the input, since it is not a function of the output.
bool needs_input(Activation activation);

}  // namespace vaeguard::networks::onednn
