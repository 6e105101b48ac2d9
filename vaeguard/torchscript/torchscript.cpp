// Layer graphs as TorchScript modules.
#include "vaeguard/torchscript/torchscript.h"

#include <fmt/ranges.h>
#include <torch/script.h>

#include <array>
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

// ---- operations, as calls on the boundaries x0, x1, ...; a layer can read any earlier one

std::string source(const Layer& layer, std::size_t i = 0) { return fmt::format("x{}", layer.sources[i]); }

std::string output_shape(const Layer& layer) {
  return bracketed({-1, layer.output.channels, layer.output.height, layer.output.width});
}

std::string convolution(const Layer& layer, std::size_t index) {
  return fmt::format("torch.conv2d({1}, self.weight_{0}, self.bias_{0}, {2}, {3}, {4}, {5})", index, source(layer),
                     pair(layer.stride), pair(layer.padding), pair(layer.dilation), layer.groups);
}

std::string transposed_convolution(const Layer& layer, std::size_t index) {
  return fmt::format("torch.conv_transpose2d({1}, self.weight_{0}, self.bias_{0}, {2}, {3}, {4}, {5}, {6})", index,
                     source(layer), pair(layer.stride), pair(layer.padding), pair(layer.output_padding), layer.groups,
                     pair(layer.dilation));
}

std::string addition(const Layer& layer, std::size_t /*index*/) { return source(layer) + " + " + source(layer, 1); }

std::string product(const Layer& layer, std::size_t /*index*/) { return source(layer) + " * " + source(layer, 1); }

std::string upsampling(const Layer& layer, std::size_t /*index*/) {
  return fmt::format("{0}.unsqueeze(3).unsqueeze(5).expand([-1, -1, -1, {1}, -1, {1}]).reshape({2})", source(layer),
                     layer.stride, output_shape(layer));
}

std::string pixel_shuffle(const Layer& layer, std::size_t /*index*/) {
  return fmt::format("torch.pixel_shuffle({}, {})", source(layer), layer.stride);
}

std::string reshape(const Layer& layer, std::size_t /*index*/) {
  return fmt::format("{}.reshape({})", source(layer), output_shape(layer));
}

std::string concatenation(const Layer& layer, std::size_t /*index*/) {
  return fmt::format("torch.cat([x{}], 1)", fmt::join(layer.sources, ", x"));
}

std::string slice(const Layer& layer, std::size_t /*index*/) {
  return fmt::format("torch.narrow({}, 1, {}, {})", source(layer), layer.first, layer.channels);
}

std::string padding(const Layer& layer, std::size_t /*index*/) {
  const auto [above, below, left, right] = layer.margins;
  return fmt::format("torch.constant_pad_nd({}, {}, 0.0)", source(layer), bracketed({left, right, above, below}));
}

std::string transposition(const Layer& layer, std::size_t /*index*/) {
  return fmt::format("torch.permute({}, {}).contiguous()", source(layer),
                     bracketed({0, 1 + layer.axes[0], 1 + layer.axes[1], 1 + layer.axes[2]}));
}

std::string mean(const Layer& layer, std::size_t /*index*/) {
  return fmt::format("torch.mean({}, [2, 3], True)", source(layer));
}

std::string average_pooling(const Layer& layer, std::size_t /*index*/) {
  return fmt::format("torch.avg_pool2d({}, {}, {}, {}, False, False)", source(layer), pair(layer.kernel),
                     pair(layer.stride), pair(layer.padding));
}

std::string max_pooling(const Layer& layer, std::size_t /*index*/) {
  return fmt::format("torch.max_pool2d({}, {}, {}, {})", source(layer), pair(layer.kernel), pair(layer.stride),
                     pair(layer.padding));
}

std::string bilinear_resize(const Layer& layer, std::size_t /*index*/) {
  return fmt::format("torch.upsample_bilinear2d({}, {}, {})", source(layer),
                     bracketed({layer.output.height, layer.output.width}), layer.align_corners ? "True" : "False");
}

std::string softmax(const Layer& layer, std::size_t /*index*/) {
  return fmt::format("torch.softmax({}, 1)", source(layer));
}

using Script = std::string (*)(const Layer& layer, std::size_t index);

constexpr std::array<Script, 16> kScripts{convolution,     transposed_convolution,
                                          addition,        upsampling,
                                          pixel_shuffle,   reshape,
                                          product,         concatenation,
                                          slice,           padding,
                                          transposition,   mean,
                                          average_pooling, max_pooling,
                                          bilinear_resize, softmax};
static_assert(kScripts.size() == static_cast<std::size_t>(Operation::softmax) + 1, "one entry for each enumerator");

std::string activation_script(const Layer& layer, const std::string& x) {
  switch (layer.activation) {
    case Activation::none:
      return x;
    case Activation::leaky_relu:
    case Activation::elu:
      return fmt::format("torch.{}({}, {})", name(layer.activation), x, layer.slope);
    case Activation::clamp:
      return fmt::format("torch.clamp({}, {}, {})", x, layer.low, layer.high);
    default:
      return fmt::format("torch.{}({})", name(layer.activation), x);
  }
}

// Layer `index` gives boundary x<boundary>.
std::string layer_script(const Layer& layer, std::size_t index, std::int64_t boundary) {
  const std::string call = kScripts[static_cast<std::size_t>(layer.operation)](layer, index);
  return fmt::format("    x{} = {}\n", boundary, activation_script(layer, call));
}

// A module whose forward runs `first` (makes x0), all layers, then `last` (reads x).
torch::jit::Module make_module(const std::string& name, const LayerGraph& graph, const std::string& first,
                               const std::string& last) {
  (void)graph.input();  // throws for several inputs or outputs
  (void)graph.output();
  torch::jit::Module module("__torch__." + name);
  std::string script = first;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    if (layer.weighted()) {
      module.register_parameter(fmt::format("weight_{}", i), weight_tensor(graph, layer), false);
      module.register_parameter(fmt::format("bias_{}", i), bias_tensor(graph, layer), false);
    }
    script += layer_script(layer, i, graph.boundary_of(i));
  }
  script += fmt::format("    x = x{}\n", graph.output_boundaries().front());
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
  const ImageShape latent = vae.decoder.input();
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
