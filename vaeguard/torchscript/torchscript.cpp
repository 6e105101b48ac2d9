// Layer graphs as TorchScript modules.
#include "vaeguard/torchscript/torchscript.h"

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

std::string layer_script(const Layer& layer, std::size_t index) {
  const auto pair = [](int value) { return fmt::format("[{0}, {0}]", value); };
  const std::string call =
      layer.operation == Operation::convolution
          ? fmt::format("torch.conv2d(x, self.weight_{0}, self.bias_{0}, {1}, {2}, {3}, 1)", index, pair(layer.stride),
                        pair(layer.padding), pair(layer.dilation))
          : fmt::format("torch.conv_transpose2d(x, self.weight_{0}, self.bias_{0}, {1}, {2}, [0, 0], 1, {3})", index,
                        pair(layer.stride), pair(layer.padding), pair(layer.dilation));
  return fmt::format("    x = {}\n", layer.activation == Activation::relu ? "torch.relu(" + call + ")" : call);
}

// A module whose forward runs `first`, all layers, then `last`.
torch::jit::Module make_module(const std::string& name, const LayerGraph& graph, const std::string& first,
                               const std::string& last) {
  torch::jit::Module module("__torch__." + name);
  std::string script = first;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    module.register_parameter(fmt::format("weight_{}", i), weight_tensor(graph, layer), false);
    module.register_parameter(fmt::format("bias_{}", i), bias_tensor(graph, layer), false);
    script += layer_script(layer, i);
  }
  module.define(script + last);
  module.eval();
  return module;
}

torch::jit::Module encoder_module(const models::VaeWeights& vae) {
  const std::int64_t size = vae.latent_size();
  return make_module("Encoder", vae.encoder,
                     "def forward(self, image: Tensor) -> Tuple[Tensor, Tensor]:\n"
                     "    x = image\n",
                     fmt::format("    x = x.reshape([-1, {0}])\n"
                                 "    return (x[:, :{1}], x[:, {1}:])\n",
                                 2 * size, size));
}

torch::jit::Module decoder_module(const models::VaeWeights& vae) {
  const ImageShape latent = vae.decoder.input;
  return make_module("Decoder", vae.decoder,
                     fmt::format("def forward(self, latent: Tensor) -> Tensor:\n"
                                 "    x = latent.reshape([-1, {}, {}, {}])\n",
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
