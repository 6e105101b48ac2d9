// TorchScript files that tests write: modules by the source of their methods.
#pragma once

#include <torch/script.h>
#include <torch/torch.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace vaeguard::torchscript {

using Weights = std::vector<std::pair<std::string, torch::Tensor>>;

/// Saves a module with these weights and methods.
inline std::filesystem::path save_module(const std::filesystem::path& file, const Weights& weights,
                                         const std::string& methods) {
  torch::jit::Module module("Model");
  for (const auto& [name, weight] : weights) {
    module.register_parameter(name, weight, /*is_buffer=*/false);
  }
  module.define(methods);
  module.save(file.string());
  return file;
}

/// A weight of waves, the same on every machine.
inline torch::Tensor wave(std::vector<std::int64_t> shape, double scale, double phase = 0.0) {
  const std::int64_t count = c10::multiply_integers(shape);
  return (torch::arange(count, torch::kFloat64) * 0.7 + phase).sin().mul(scale).to(torch::kFloat32).reshape(shape);
}

/// One module with the parts of an AutoencoderKL: group normalisation, SiLU, attention over positions, codes of 2 x 4 x
/// 4 for pictures of 3 x 8 x 8, means and log-variances as channels of one output.
inline std::filesystem::path save_attention_vae(const std::filesystem::path& file) {
  return save_module(file,
                     {{"first", wave({8, 3, 3, 3}, 0.3)},
                      {"scale", wave({8}, 0.2).add(1.0)},
                      {"shift", wave({8}, 0.2)},
                      {"query", wave({8, 8}, 0.4, 1.0)},
                      {"key", wave({8, 8}, 0.4, 2.0)},
                      {"value", wave({8, 8}, 0.4, 3.0)},
                      {"last", wave({4, 8, 1, 1}, 0.4)},
                      {"back", wave({8, 2, 3, 3}, 0.4)},
                      {"pixels", wave({3, 8, 3, 3}, 0.3)}},
                     R"(
def middle(self, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    y = torch.group_norm(x, 4, self.scale, self.shift).flatten(2).transpose(1, 2)
    weights = torch.softmax(torch.bmm(y @ self.query, (y @ self.key).transpose(1, 2)) / 8 ** 0.5, -1)
    return x + torch.bmm(weights, y @ self.value).transpose(1, 2).reshape(n, c, h, w)

def encode(self, image: Tensor) -> Tensor:
    x = torch.conv2d(image, self.first, None, [2, 2], [1, 1])
    x = self.middle(x)
    return torch.conv2d(x * torch.sigmoid(x), self.last)

def decode(self, code: Tensor) -> Tensor:
    x = self.middle(torch.conv2d(code, self.back, None, [1, 1], [1, 1]))
    x = torch.upsample_nearest2d(x * torch.sigmoid(x), [8, 8])
    return torch.conv2d(x, self.pixels, None, [1, 1], [1, 1])
)");
}

}  // namespace vaeguard::torchscript
