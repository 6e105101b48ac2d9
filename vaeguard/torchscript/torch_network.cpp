// Networks over Matrix whose forward passes are libtorch calls, gradients by libtorch's autograd.
#include "vaeguard/torchscript/torch_network.h"

#include <torch/torch.h>

#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/torchscript/tensors.h"
#include "vaeguard/torchscript/torch_layers.h"
#include "vaeguard/torchscript/torch_posterior.h"

namespace vaeguard::networks {
namespace {

using torchscript::image_tensor;
using torchscript::to_matrix;

class TorchTape : public Tape {
 public:
  torch::Tensor input;
  torch::Tensor output;
};

class TorchNetwork : public Network {
 public:
  TorchNetwork(const LayerGraph& graph, std::string_view backend, const torch::Device& device)
      : graph_(graph), backend_(backend), device_(device), layers_(graph, device) {}

  [[nodiscard]] const LayerGraph& graph() const override { return graph_; }
  [[nodiscard]] std::string_view backend() const override { return backend_; }
  [[nodiscard]] std::unique_ptr<Tape> make_tape() const override { return std::make_unique<TorchTape>(); }

  void forward(const Matrix& inputs, Matrix& outputs, Tape& tape) const override {
    check_shape("networks.torch", "inputs", inputs, -1, graph_.input.size());
    auto& record = dynamic_cast<TorchTape&>(tape);
    record.input = image_tensor(inputs, graph_.input, device_).requires_grad_();
    record.output = layers_.run(record.input);
    to_matrix(record.output.detach(), outputs);
  }

  void backward(const Matrix& output_gradients, Matrix& input_gradients, Tape& tape) const override {
    const auto& record = dynamic_cast<TorchTape&>(tape);
    check_shape("networks.torch", "output_gradients", output_gradients, record.input.size(0), graph_.output().size());
    // The graph is kept: one forward may be pulled back more than once.
    const auto gradients = torch::autograd::grad({record.output}, {record.input},
                                                 {image_tensor(output_gradients, graph_.output(), device_)}, true);
    to_matrix(gradients.front(), input_gradients);
  }

 private:
  LayerGraph graph_;
  std::string_view backend_;
  torch::Device device_;
  torchscript::TorchLayers layers_;
};

class TorchBackend : public Backend {
 public:
  TorchBackend(std::string_view name, std::string device) : name_(name), device_(std::move(device)) {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::string description() const override {
    return fmt::format("libtorch {} on {}, transposed convolutions as plain ones", TORCH_VERSION, device_);
  }
  [[nodiscard]] std::string unsupported(const LayerGraph& graph, Precision precision) const override {
    if (precision != Precision::float32) {
      return "the backend torch computes in float32 only";
    }
    if (torch::Device(device_).is_cuda() && !torch::cuda::is_available()) {
      return "libtorch sees no GPU";
    }
    return graph.layers.empty() ? "the graph has no layers" : "";
  }
  [[nodiscard]] std::shared_ptr<const Network> compile(const LayerGraph& graph,
                                                       Precision /*precision*/) const override {
    return compile_torch(graph, device_);
  }

 private:
  std::string_view name_;
  std::string device_;
};

}  // namespace

std::shared_ptr<const Network> compile_torch(const LayerGraph& graph, const std::string& device) {
  try {
    const torch::Device place(device);
    return std::make_shared<TorchNetwork>(graph, place.is_cuda() ? "torch_cuda" : "torch", place);
  } catch (const c10::Error& problem) {
    misuse("networks.torch", "cannot compile for the device '{}': {}", device, problem.what_without_backtrace());
  }
}

const Backend& torch_backend() {
  static const TorchBackend backend("torch", "cpu");
  return backend;
}

const Backend& torch_cuda_backend() {
  static const TorchBackend backend("torch_cuda", "cuda");
  return backend;
}

void register_torch_backends() {
  register_backend(torch_backend());
  if (torch::cuda::is_available()) {
    register_backend(torch_cuda_backend());
  }
  torchscript::register_torch_posteriors();
}

}  // namespace vaeguard::networks
