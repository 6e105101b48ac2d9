// Loads modules and takes apart what their methods give.
#include "vaeguard/torchscript/module_method.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include "vaeguard/base/error.h"

namespace vaeguard::torchscript {
namespace {

torch::jit::Module load(const std::filesystem::path& file) {
  try {
    torch::jit::Module module = torch::jit::load(file.string(), torch::kCPU);
    module.eval();
    for (torch::Tensor parameter : module.parameters()) {
      parameter.set_requires_grad(false);
    }
    return module;
  } catch (const std::exception& problem) {
    misuse(file.string(),
           "the file must hold a TorchScript module, as torch.jit.trace or torch.jit.script and then save() write it "
           "(torch.save does not): {}",
           reason_of(problem));
  }
}

torch::jit::Method find(const torch::jit::Module& module, const std::string& method,
                        const std::filesystem::path& file) {
  if (const auto found = module.find_method(method)) {
    return *found;
  }
  std::vector<std::string> names;
  for (const auto& one : module.get_methods()) {
    names.push_back(one.name());
  }
  misuse(file.string(), "the module must have a method {}, it has {}", method,
         names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
}

void add(NamedTensors& outputs, std::string name, const torch::IValue& value, const std::string& place) {
  if (value.isNone()) {
    return;
  }
  if (!value.isTensor()) {
    misuse(place, "the method must give tensors, output {} is a {}", name, value.tagKind());
  }
  outputs.emplace_back(std::move(name), value.toTensor());
}

NamedTensors tensors_of_tuple(const torch::IValue& value, const std::string& place) {
  NamedTensors outputs;
  const auto tuple = value.toTuple();
  const auto type = tuple->type();
  const auto& elements = tuple->elements();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    add(outputs, type->schema() != nullptr ? type->schema()->arguments()[i].name() : std::to_string(i), elements[i],
        place);
  }
  return outputs;
}

NamedTensors tensors_of(const torch::IValue& value, const std::string& place) {
  NamedTensors outputs;
  if (value.isTuple()) {
    return tensors_of_tuple(value, place);
  }
  if (value.isTensorList()) {
    for (const torch::Tensor& one : value.toTensorVector()) {
      outputs.emplace_back(std::to_string(outputs.size()), one);
    }
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) {
      add(outputs, entry.key().isString() ? entry.key().toStringRef() : std::to_string(outputs.size()), entry.value(),
          place);
    }
  } else {
    add(outputs, "0", value, place);
  }
  return outputs;
}

}  // namespace

std::string reason_of(const std::exception& problem) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&problem);
  std::string text = of_torch != nullptr ? of_torch->what_without_backtrace() : problem.what();
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  // The interpreter puts the lines of the script before its reason.
  const bool traced = text.find("Traceback of TorchScript") != std::string::npos;
  return traced ? text.substr(text.rfind('\n') + 1) : text.substr(0, text.find('\n'));
}

std::string text_of(at::IntArrayRef sizes) { return fmt::format("[{}]", fmt::join(sizes, ", ")); }

ModuleMethod::ModuleMethod(const std::filesystem::path& file, std::string method)
    : place_(method == "forward" ? file.string() : file.string() + ", " + method),
      module_(load(file)),
      method_(find(module_, method, file)) {}

NamedTensors ModuleMethod::call(const torch::Tensor& input) const {
  const torch::jit::GraphOptimizerEnabledGuard plain(false);
  return tensors_of(method_({input}), place_);
}

}  // namespace vaeguard::torchscript
