// Layers in the forms that libtorch runs fastest.
#include "vaeguard/torchscript/torch_layers.h"

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <array>
#include <mutex>
#include <utility>

#include "vaeguard/torchscript/tensors.h"

namespace vaeguard::torchscript {
namespace {

using networks::Activation;
using networks::Layer;
using networks::LayerGraph;
using networks::Operation;

Form choose_form(const Layer& layer) {
  if (layer.operation == Operation::convolution) {
    return Form::convolution;
  }
  if (layer.groups > 1 || layer.output_padding > 0) {
    return Form::transposed;
  }
  if (layer.input().positions() == 1 && layer.padding == 0) {
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

// For a single input position, whose taps land `dilation` apart with gaps between them.
torch::Tensor run_product(const PreparedLayer& prepared, const torch::Tensor& x) {
  const Layer& layer = prepared.layer;
  const torch::Tensor taps = torch::mm(x.reshape({x.size(0), layer.input().channels}), prepared.weight)
                                 .reshape({x.size(0), layer.output.channels, layer.kernel, layer.kernel});
  const torch::Tensor bias = prepared.bias.reshape({1, -1, 1, 1});
  if (layer.dilation == 1) {
    return taps + bias;
  }
  torch::Tensor spread =
      torch::zeros({x.size(0), layer.output.channels, layer.output.height, layer.output.width}, x.options());
  spread.slice(2, 0, layer.output.height, layer.dilation).slice(3, 0, layer.output.width, layer.dilation).copy_(taps);
  return spread + bias;
}

torch::Tensor run_weighted(const PreparedLayer& prepared, const torch::Tensor& x) {
  const Layer& layer = prepared.layer;
  switch (prepared.form) {
    case Form::convolution:
      return torch::conv2d(x, prepared.weight, prepared.bias, layer.stride, layer.padding, layer.dilation,
                           layer.groups);
    case Form::product:
      return run_product(prepared, x);
    case Form::flipped:
      return torch::conv2d(x, prepared.weight, prepared.bias, 1, layer.dilation * (layer.kernel - 1) - layer.padding,
                           layer.dilation);
    case Form::subpixel:
      return torch::pixel_shuffle(torch::conv2d(x, prepared.weight, prepared.bias, 1, 1), 2);
    case Form::transposed:
      break;
  }
  return torch::conv_transpose2d(x, prepared.weight, prepared.bias, layer.stride, layer.padding, layer.output_padding,
                                 layer.groups, layer.dilation);
}

torch::Tensor activated(const Layer& layer, const torch::Tensor& x) {
  switch (layer.activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return torch::relu(x);
    case Activation::leaky_relu:
      return torch::leaky_relu(x, layer.slope);
    case Activation::elu:
      return torch::elu(x, layer.slope);
    case Activation::silu:
      return torch::silu(x);
    case Activation::tanh:
      return torch::tanh(x);
    case Activation::sigmoid:
      return torch::sigmoid(x);
    case Activation::exp:
      return torch::exp(x);
    case Activation::clamp:
      return torch::clamp(x, layer.low, layer.high);
    case Activation::softplus:
      return torch::softplus(x);
  }
  return x;
}

// ---- operations without weights, on the sources [B, C, H, W]

using Sources = std::vector<torch::Tensor>;

torch::Tensor add(const Layer& /*layer*/, const Sources& x) { return x[0] + x[1]; }
torch::Tensor multiply(const Layer& /*layer*/, const Sources& x) { return x[0] * x[1]; }
torch::Tensor concatenate(const Layer& /*layer*/, const Sources& x) { return torch::cat(x, 1); }
torch::Tensor soften(const Layer& /*layer*/, const Sources& x) { return torch::softmax(x[0], 1); }
torch::Tensor mean(const Layer& /*layer*/, const Sources& x) { return x[0].mean({2, 3}, true); }

// Not libtorch's own, which finds source pixels by a division in float and gets some wrong for factors such as 41.
torch::Tensor upsample(const Layer& layer, const Sources& x) {
  const std::int64_t factor = layer.stride;
  return x[0]
      .unsqueeze(3)
      .unsqueeze(5)
      .expand({-1, -1, -1, factor, -1, factor})
      .reshape({x[0].size(0), layer.output.channels, layer.output.height, layer.output.width});
}

torch::Tensor shuffle(const Layer& layer, const Sources& x) { return torch::pixel_shuffle(x[0], layer.stride); }

torch::Tensor reshape(const Layer& layer, const Sources& x) {
  return x[0].reshape({x[0].size(0), layer.output.channels, layer.output.height, layer.output.width});
}

torch::Tensor slice(const Layer& layer, const Sources& x) { return x[0].narrow(1, layer.first, layer.channels); }

torch::Tensor pad(const Layer& layer, const Sources& x) {
  const auto [above, below, left, right] = layer.margins;
  return torch::constant_pad_nd(x[0], {left, right, above, below}, 0.0);
}

torch::Tensor transpose(const Layer& layer, const Sources& x) {
  return x[0].permute({0, 1 + layer.axes[0], 1 + layer.axes[1], 1 + layer.axes[2]}).contiguous();
}

torch::Tensor pool_mean(const Layer& layer, const Sources& x) {
  return torch::avg_pool2d(x[0], layer.kernel, layer.stride, layer.padding, false, false);
}

torch::Tensor pool_max(const Layer& layer, const Sources& x) {
  return torch::max_pool2d(x[0], layer.kernel, layer.stride, layer.padding);
}

torch::Tensor resize(const Layer& layer, const Sources& x) {
  return torch::upsample_bilinear2d(x[0], {layer.output.height, layer.output.width}, layer.align_corners);
}

using Run = torch::Tensor (*)(const Layer& layer, const Sources& x);

constexpr std::array<Run, 16> kRuns{
    nullptr,      // convolution: run_weighted
    nullptr,      // transposed convolution
    add,          // addition
    upsample,     // upsampling
    shuffle,      // pixel shuffle
    reshape,      // reshape
    multiply,     // product
    concatenate,  // concatenation
    slice,        // slice
    pad,          // padding
    transpose,    // transposition
    mean,         // mean
    pool_mean,    // average pooling
    pool_max,     // max pooling
    resize,       // bilinear resize
    soften,       // softmax
};
static_assert(kRuns.size() == static_cast<std::size_t>(Operation::softmax) + 1, "one entry for each enumerator");

torch::Tensor run_layer(const PreparedLayer& prepared, const std::vector<torch::Tensor>& boundaries) {
  const Layer& layer = prepared.layer;
  Sources sources;
  for (const std::int64_t source : layer.sources) {
    sources.push_back(boundaries[static_cast<std::size_t>(source)]);
  }
  return layer.weighted() ? run_weighted(prepared, sources[0])
                          : kRuns[static_cast<std::size_t>(layer.operation)](layer, sources);
}

// Energies decide acceptance, so products keep full float precision, and repeated runs are deterministic.
void prepare_libtorch() {
  at::set_num_threads(1);
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setDeterministicCuDNN(true);
}

}  // namespace

TorchLayers::TorchLayers(const LayerGraph& graph, const torch::Device& device) : outputs_(graph.output_boundaries()) {
  static std::once_flag once;
  std::call_once(once, prepare_libtorch);
  const torch::NoGradGuard no_gradients;
  for (const Layer& layer : graph.layers) {
    PreparedLayer prepared{.layer = layer, .form = Form::convolution, .weight = {}, .bias = {}};
    if (layer.weighted()) {
      prepared.form = choose_form(layer);
      prepared.weight = prepared_weight(weight_tensor(graph, layer), prepared.form).to(device);
      const torch::Tensor bias = bias_tensor(graph, layer);
      prepared.bias = (prepared.form == Form::subpixel ? bias.repeat_interleave(4) : bias).to(device);
    }
    layers_.push_back(prepared);
  }
}

std::vector<torch::Tensor> TorchLayers::run(std::vector<torch::Tensor> inputs) const {
  // The number of threads is a setting of the calling thread that libtorch's oneDNN does not look up by itself: in a
  // thread where it is not set, each small convolution would be split over threads, which costs more than it saves.
  thread_local const bool told = (at::init_num_threads(), true);
  (void)told;
  std::vector<torch::Tensor> boundaries = std::move(inputs);
  for (const PreparedLayer& layer : layers_) {
    boundaries.push_back(activated(layer.layer, run_layer(layer, boundaries)));
  }
  std::vector<torch::Tensor> outputs;
  for (const std::int64_t output : outputs_) {
    outputs.push_back(boundaries[static_cast<std::size_t>(output)]);
  }
  return outputs;
}

torch::Tensor TorchLayers::run(const torch::Tensor& input) const { return run(std::vector{input}).front(); }

}  // namespace vaeguard::torchscript
