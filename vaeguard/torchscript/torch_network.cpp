// Layers as libtorch calls, gradients by libtorch's autograd.
#include "vaeguard/torchscript/torch_network.h"

#include <torch/torch.h>

#include <mutex>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/torchscript/tensors.h"

namespace vaeguard::networks {
namespace {

using torchscript::bias_tensor;
using torchscript::image_tensor;
using torchscript::to_matrix;
using torchscript::weight_tensor;

enum class Form { convolution, product, flipped, subpixel, transposed };

// How a layer is run. libtorch's own transposed convolution takes a slow path on small images, hence the other forms.
Form choose_form(const Layer& layer) {
  if (layer.operation == Operation::convolution) {
    return Form::convolution;
  }
  if (layer.input.positions() == 1 && layer.padding == 0) {
    return Form::product;
  }
  if (layer.stride == 1 && layer.padding <= layer.dilation * (layer.kernel - 1)) {
    return Form::flipped;
  }
  if (layer.stride == 2 && layer.kernel == 4 && layer.padding == 1 && layer.dilation == 1) {
    return Form::subpixel;
  }
  return Form::transposed;
}

// Kernel 4, stride 2, padding 1 doubles an image: output 2 q + a takes input q + d through tap k = a + 1 - 2 d. So each
// parity a sees a window of three inputs (u = d + 1): a = 0 has (u, k) = (0, 3), (1, 1), a = 1 has (1, 2), (2, 0). This
// makes [in, out, 4, 4] a plain kernel [out * 4, in, 3, 3] whose outputs a pixel shuffle interleaves.
torch::Tensor subpixel_weight(const torch::Tensor& weight) {
  const std::int64_t inputs = weight.size(0);
  const std::int64_t outputs = weight.size(1);
  torch::Tensor result = torch::zeros({outputs, 2, 2, inputs, 3, 3});
  const std::pair<int, int> steps[2][2] = {{{0, 3}, {1, 1}}, {{1, 2}, {2, 0}}};
  for (int a = 0; a < 2; ++a) {
    for (int b = 0; b < 2; ++b) {
      for (const auto& [u, k] : steps[a]) {
        for (const auto& [v, l] : steps[b]) {
          result.select(5, v).select(4, u).select(2, b).select(1, a).copy_(weight.select(3, l).select(2, k).t());
        }
      }
    }
  }
  return result.reshape({outputs * 4, inputs, 3, 3});
}

torch::Tensor prepared_weight(const torch::Tensor& weight, Form form) {
  switch (form) {
    case Form::product:
      return weight.reshape({weight.size(0), -1});
    case Form::flipped:
      return weight.flip({2, 3}).transpose(0, 1).contiguous();
    case Form::subpixel:
      return subpixel_weight(weight);
    default:
      return weight;
  }
}

struct PreparedLayer {
  Layer layer;
  Form form;
  torch::Tensor weight;
  torch::Tensor bias;
};

// One input position: its taps land `dilation` apart and nowhere else.
torch::Tensor run_product(const PreparedLayer& prepared, const torch::Tensor& x) {
  const Layer& layer = prepared.layer;
  const torch::Tensor taps = torch::mm(x.reshape({x.size(0), layer.input.channels}), prepared.weight)
                                 .reshape({x.size(0), layer.output.channels, layer.kernel, layer.kernel});
  const torch::Tensor bias = prepared.bias.reshape({1, -1, 1, 1});
  if (layer.dilation == 1) {
    return taps + bias;
  }
  torch::Tensor spread = torch::zeros({x.size(0), layer.output.channels, layer.output.height, layer.output.width});
  spread.slice(2, 0, layer.output.height, layer.dilation).slice(3, 0, layer.output.width, layer.dilation).copy_(taps);
  return spread + bias;
}

torch::Tensor run_layer(const PreparedLayer& prepared, const torch::Tensor& x) {
  const Layer& layer = prepared.layer;
  switch (prepared.form) {
    case Form::convolution:
      return torch::conv2d(x, prepared.weight, prepared.bias, layer.stride, layer.padding, layer.dilation);
    case Form::product:
      return run_product(prepared, x);
    case Form::flipped:
      return torch::conv2d(x, prepared.weight, prepared.bias, 1, layer.dilation * (layer.kernel - 1) - layer.padding,
                           layer.dilation);
    case Form::subpixel:
      return torch::pixel_shuffle(torch::conv2d(x, prepared.weight, prepared.bias.repeat_interleave(4), 1, 1), 2);
    case Form::transposed:
      break;
  }
  return torch::conv_transpose2d(x, prepared.weight, prepared.bias, layer.stride, layer.padding, 0, 1, layer.dilation);
}

class TorchTape : public Tape {
 public:
  torch::Tensor input;
  torch::Tensor output;
};

class TorchNetwork : public Network {
 public:
  explicit TorchNetwork(const LayerGraph& graph) : graph_(graph) {
    const torch::NoGradGuard no_gradients;
    for (const Layer& layer : graph.layers) {
      const Form form = choose_form(layer);
      layers_.push_back({.layer = layer,
                         .form = form,
                         .weight = prepared_weight(weight_tensor(graph, layer), form),
                         .bias = bias_tensor(graph, layer)});
    }
  }

  [[nodiscard]] const LayerGraph& graph() const override { return graph_; }
  [[nodiscard]] std::string_view backend() const override { return "torch"; }
  [[nodiscard]] std::unique_ptr<Tape> make_tape() const override { return std::make_unique<TorchTape>(); }

  void forward(const Matrix& inputs, Matrix& outputs, Tape& tape) const override {
    check_shape("networks.torch", "inputs", inputs, -1, graph_.input.size());
    auto& record = dynamic_cast<TorchTape&>(tape);
    record.input = image_tensor(inputs, graph_.input).requires_grad_();
    torch::Tensor x = record.input;
    for (const PreparedLayer& layer : layers_) {
      x = run_layer(layer, x);
      if (layer.layer.activation == Activation::relu) {
        x = torch::relu(x);
      }
    }
    record.output = x;
    to_matrix(x.detach(), outputs);
  }

  void backward(const Matrix& output_gradients, Matrix& input_gradients, Tape& tape) const override {
    const auto& record = dynamic_cast<TorchTape&>(tape);
    check_shape("networks.torch", "output_gradients", output_gradients, record.input.size(0), graph_.output().size());
    // The graph is kept: one forward may be pulled back more than once.
    const auto gradients =
        torch::autograd::grad({record.output}, {record.input}, {image_tensor(output_gradients, graph_.output())}, true);
    to_matrix(gradients.front(), input_gradients);
  }

 private:
  LayerGraph graph_;
  std::vector<PreparedLayer> layers_;
};

class TorchBackend : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "torch"; }
  [[nodiscard]] std::string description() const override {
    return fmt::format("libtorch {}, transposed convolutions as plain ones", TORCH_VERSION);
  }
  [[nodiscard]] std::string unsupported(const LayerGraph& graph) const override {
    return graph.layers.empty() ? "the graph has no layers" : "";
  }
  [[nodiscard]] std::shared_ptr<const Network> compile(const LayerGraph& graph) const override {
    static std::once_flag once;
    std::call_once(once, [] { at::set_num_threads(1); });
    return std::make_shared<TorchNetwork>(graph);
  }
};

}  // namespace

const Backend& torch_backend() {
  static const TorchBackend backend;
  return backend;
}

}  // namespace vaeguard::networks
