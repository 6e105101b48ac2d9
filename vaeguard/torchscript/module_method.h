// A method of a TorchScript module, its calls and its outputs, errors as Misuse; for the sources of this folder only.
#pragma once

#include <torch/script.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace vaeguard::torchscript {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

/// What went wrong in one line, without libtorch's stack of calls.
std::string reason_of(const std::exception& problem);
/// "[3, 1, 28, 28]".
std::string text_of(at::IntArrayRef sizes);

class ModuleMethod {
 public:
  /// Loads the file, in evaluation mode and with constant weights. Throws Misuse if it is no module or has no such
  /// method.
  ModuleMethod(const std::filesystem::path& file, std::string method);

  /// The method's outputs by name: those of a dictionary or a named tuple have their own, others 0, 1, ... Throws
  /// c10::Error and others of the module, and Misuse for what are no tensors. The same arithmetic at every call:
  /// nothing is specialised to the shapes of earlier ones.
  [[nodiscard]] NamedTensors call(const torch::Tensor& input) const;

  /// "encoder.pt", "vae.pt, encode".
  [[nodiscard]] const std::string& place() const { return place_; }
  [[nodiscard]] const torch::jit::Module& module() const { return module_; }
  [[nodiscard]] const torch::jit::Method& method() const { return method_; }

 private:
  std::string place_;
  torch::jit::Module module_;
  torch::jit::Method method_;
};

}  // namespace vaeguard::torchscript
