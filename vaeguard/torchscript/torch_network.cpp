// Networks over Matrix whose forward passes are libtorch calls, gradients by libtorch's autograd.
#include "vaeguard/torchscript/torch_network.h"

#include <torch/torch.h>

#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/torchscript/tensors.h"
#include "vaeguard/torchscript/torch_layers.h"

namespace vaeguard::networks {
namespace {

constexpr const char* kPlace = "networks.torch";

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
    check_shape(kPlace, "inputs", inputs, -1, graph_.input_size());
    auto& record = dynamic_cast<TorchTape&>(tape);
    record.input = row_tensor(inputs).requires_grad_();
    record.output = run(record.input);
    to_matrix(record.output.detach(), outputs);
  }

  void backward(const Matrix& output_gradients, Matrix& input_gradients, Tape& tape) const override {
    const auto& record = dynamic_cast<TorchTape&>(tape);
    check_shape(kPlace, "output_gradients", output_gradients, record.input.size(0), graph_.output_size());
    to_matrix(pull(record, row_tensor(output_gradients), false), input_gradients);
  }

  // J v is the derivative of <J' u, v> with respect to u, whatever u is.
  void tangent(const Matrix& input_tangents, Matrix& output_tangents, Tape& tape) const override {
    const auto& record = dynamic_cast<TorchTape&>(tape);
    check_shape(kPlace, "input_tangents", input_tangents, record.input.size(0), graph_.input_size());
    const torch::Tensor u = torch::zeros_like(record.output).requires_grad_();
    const torch::Tensor pulled = pull(record, u, true);
    const auto tangent = torch::autograd::grad({pulled}, {u}, {row_tensor(input_tangents)}, {}, false, true);
    to_matrix(tangent.front().defined() ? tangent.front() : torch::zeros_like(u).detach(), output_tangents);
  }

 private:
  [[nodiscard]] torch::Tensor row_tensor(const Matrix& matrix) const {
    return image_tensor(matrix, {matrix.columns(), 1, 1}, device_).flatten(1);
  }

  // Rows [B, in] -> [B, out]: all inputs one after the other, likewise all outputs.
  [[nodiscard]] torch::Tensor run(const torch::Tensor& rows) const {
    std::vector<torch::Tensor> inputs;
    std::int64_t first = 0;
    for (const ImageShape& shape : graph_.inputs) {
      inputs.push_back(
          rows.narrow(1, first, shape.size()).reshape({rows.size(0), shape.channels, shape.height, shape.width}));
      first += shape.size();
    }
    std::vector<torch::Tensor> outputs = layers_.run(std::move(inputs));
    for (torch::Tensor& output : outputs) {
      output = output.flatten(1);
    }
    return outputs.size() == 1 ? outputs.front() : torch::cat(outputs, 1);
  }

  // Keeps the autograd graph, since backward may run several times after one forward. Without a path to the inputs the
  // gradient is zero.
  static torch::Tensor pull(const TorchTape& record, const torch::Tensor& gradient, bool differentiable) {
    const torch::Tensor result =
        torch::autograd::grad({record.output}, {record.input}, {gradient}, true, differentiable, true).front();
    return result.defined() ? result : torch::zeros_like(record.input);
  }

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
  [[nodiscard]] bool present() const override {
    return !torch::Device(device_).is_cuda() || torch::cuda::is_available();
  }
  [[nodiscard]] std::string unsupported(const LayerGraph& graph, Precision precision) const override {
    if (precision != Precision::float32) {
      return "the backend torch computes in float32 only";
    }
    if (!present()) {
      return "libtorch sees no GPU";
    }
    return defect(graph);
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

}  // namespace vaeguard::networks
