// Layer graphs as TorchScript modules.
#include "vaeguard/torchscript/torchscript.h"

#include <fmt/ranges.h>
#include <torch/script.h>

#include <string>

#include "vaeguard/base/error.h"
#include "vaeguard/torchscript/tensors.h"

namespace vaeguard::torchscript {
namespace {

using networks::Activation;
using networks::Layer;
using networks::LayerGraph;
using networks::Operation;

std::string bracketed(std::initializer_list<std::int64_t> values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

std::string pair(int value) { return bracketed({value, value}); }

// The layer before its activation. Boundary l is the variable x<l>, so that a layer can read any earlier one.
std::string operation_script(const Layer& layer, std::size_t index) {
  const std::string x = fmt::format("x{}", layer.source);
  const ImageShape& output = layer.output;
  switch (layer.operation) {
    case Operation::convolution:
      return fmt::format("torch.conv2d({1}, self.weight_{0}, self.bias_{0}, {2}, {3}, {4}, {5})", index, x,
                         pair(layer.stride), pair(layer.padding), pair(layer.dilation), layer.groups);
    case Operation::transposed_convolution:
      return fmt::format("torch.conv_transpose2d({1}, self.weight_{0}, self.bias_{0}, {2}, {3}, {4}, {5}, {6})", index,
                         x, pair(layer.stride), pair(layer.padding), pair(layer.output_padding), layer.groups,
                         pair(layer.dilation));
    case Operation::addition:
      return fmt::format("{} + x{}", x, layer.other);
    case Operation::upsampling:
      return fmt::format("{0}.unsqueeze(3).unsqueeze(5).expand([-1, -1, -1, {1}, -1, {1}]).reshape({2})", x,
                         layer.stride, bracketed({-1, output.channels, output.height, output.width}));
    case Operation::pixel_shuffle:
      return fmt::format("torch.pixel_shuffle({}, {})", x, layer.stride);
    case Operation::reshape:
      return fmt::format("{}.reshape({})", x, bracketed({-1, output.channels, output.height, output.width}));
  }
  return x;
}

std::string layer_script(const Layer& layer, std::size_t index) {
  const std::string call = operation_script(layer, index);
  const bool sloped = layer.activation == Activation::leaky_relu || layer.activation == Activation::elu;
  return fmt::format("    x{} = {}\n", index + 1,
                     layer.activation == Activation::none
                         ? call
                         : fmt::format("torch.{}({}{})", name(layer.activation), call,
                                       sloped ? fmt::format(", {}", layer.slope) : ""));
}

// A module whose forward runs `first` (makes x0), all layers, then `last` (reads x).
torch::jit::Module make_module(const std::string& name, const LayerGraph& graph, const std::string& first,
                               const std::string& last) {
  torch::jit::Module module("__torch__." + name);
  std::string script = first;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    if (layer.weighted()) {
      module.register_parameter(fmt::format("weight_{}", i), weight_tensor(graph, layer), false);
      module.register_parameter(fmt::format("bias_{}", i), bias_tensor(graph, layer), false);
    }
    script += layer_script(layer, i);
  }
  script += fmt::format("    x = x{}\n", graph.layers.size());
  module.define(script + last);
  module.eval();
  return module;
}

torch::jit::Module encoder_module(const models::VaeWeights& vae) {
  const std::int64_t size = vae.latent_size();
  return make_module("Encoder", vae.encoder,
                     "def forward(self, image: Tensor) -> Tuple[Tensor, Tensor]:\n"
                     "    x0 = image\n",
                     fmt::format("    x = x.reshape([-1, {0}])\n"
                                 "    return (x[:, :{1}], x[:, {1}:])\n",
                                 2 * size, size));
}

torch::jit::Module decoder_module(const models::VaeWeights& vae) {
  const ImageShape latent = vae.decoder.input;
  return make_module("Decoder", vae.decoder,
                     fmt::format("def forward(self, latent: Tensor) -> Tensor:\n"
                                 "    x0 = latent.reshape([-1, {}, {}, {}])\n",
                                 latent.channels, latent.height, latent.width),
                     "    return x\n");
}

}  // namespace

void export_torchscript(const models::VaeWeights& vae, const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    misuse("torchscript", "cannot make the folder '{}': {}", folder.string(), error.message());
  }
  try {
    encoder_module(vae).save((folder / "encoder.pt").string());
    decoder_module(vae).save((folder / "decoder.pt").string());
  } catch (const c10::Error& problem) {
    failure("torchscript", "cannot write to '{}': {}", folder.string(), problem.what_without_backtrace());
  }
}

}  // namespace vaeguard::torchscript
