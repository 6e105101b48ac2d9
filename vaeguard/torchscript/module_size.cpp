// Counts nodes of a graph, and watches a call.
#include "vaeguard/torchscript/module_size.h"

#include <ATen/record_function.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <algorithm>
#include <string_view>

namespace vaeguard::torchscript {
namespace {

// Not those that compute with sizes.
bool gives_tensor(const torch::jit::Node& node) {
  return !node.outputs().empty() && node.outputs()[0]->type()->isSubtypeOf(*c10::TensorType::get());
}

void count(const torch::jit::Block& block, std::map<std::string, std::int64_t>& operations) {
  for (const torch::jit::Node* node : block.nodes()) {
    if (node->kind().is_aten() && gives_tensor(*node)) {
      const std::string_view name = node->kind().toUnqualString();
      ++operations[std::string(name.substr(name.find_first_not_of('_')))];  // "_convolution" is one
    }
    for (const torch::jit::Block* inner : node->blocks()) {
      count(*inner, operations);
    }
  }
}

constexpr int kDeepest = 64;  // modules within modules

bool calls_others(const torch::jit::Block& block) {
  return std::ranges::any_of(block.nodes(), [](const torch::jit::Node* node) {
    return node->kind() == torch::jit::prim::CallMethod || node->kind() == torch::jit::prim::CallFunction ||
           std::ranges::any_of(node->blocks(), [](const torch::jit::Block* inner) { return calls_others(*inner); });
  });
}

thread_local std::int64_t watched = 0;

bool is_matrix_product(std::string_view name) {
  return name == "aten::addmm" || name == "aten::mm" || name == "aten::bmm" || name == "aten::baddbmm";
}

// A convolution reads the weight of one channel for each number that it gives; a transposed one writes with that of one
// channel for each number that it is given.
std::int64_t of_convolution(const std::vector<torch::IValue>& inputs, const torch::Tensor& output) {
  constexpr std::size_t kTransposed = 6;
  const torch::Tensor weight = inputs[1].toTensor();
  const std::int64_t of_channel = weight.numel() / weight.size(0);
  return of_channel * (inputs[kTransposed].toBool() ? inputs[0].toTensor().numel() : output.numel());
}

struct Arguments : at::ObserverContext {
  std::vector<torch::IValue> inputs;
};

// The interpreter shows its whole stack, whose last values are those of the call.
std::vector<torch::IValue> last_of(c10::ArrayRef<const torch::IValue> stack, std::size_t count) {
  const std::size_t shown = std::min(count, stack.size());
  const c10::ArrayRef<const torch::IValue> last = stack.slice(stack.size() - shown);
  return std::vector<torch::IValue>(last.begin(), last.end());
}

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& call) {
  auto arguments = std::make_unique<Arguments>();
  arguments->inputs = last_of(call.inputs(), call.num_inputs());
  return arguments;
}

void end(const at::RecordFunction& call, at::ObserverContext* context) {
  const std::string_view name = call.name();
  const auto& inputs = static_cast<Arguments*>(context)->inputs;
  if (call.outputs().empty() || !call.outputs().back().isTensor()) {
    return;
  }
  const torch::Tensor output = call.outputs().back().toTensor();  // products and convolutions give no other
  if (name == "aten::_convolution") {
    watched += of_convolution(inputs, output);
  } else if (is_matrix_product(name)) {
    const std::size_t second = name.find("add") != std::string_view::npos ? 1 : 0;
    watched += output.numel() * inputs[second].toTensor().size(-1);
  }
}

}  // namespace

std::map<std::string, std::int64_t> operations_of(const ModuleMethod& method) {
  const auto graph = method.method().graph()->copy();
  for (int level = 0; level < kDeepest && calls_others(*graph->block()); ++level) {
    torch::jit::Inline(*graph);  // by one level where the optimiser of graphs is off
  }
  std::map<std::string, std::int64_t> operations;
  count(*graph->block(), operations);
  return operations;
}

std::int64_t parameters_of(const ModuleMethod& method) {
  std::int64_t sum = 0;
  for (const torch::Tensor& parameter : method.module().parameters()) {
    sum += parameter.numel();
  }
  return sum;
}

std::int64_t multiply_adds_of(const ModuleMethod& method, const torch::Tensor& input) {
  const torch::NoGradGuard no_gradients;
  const at::CallbackHandle handle = at::addThreadLocalCallback(
      at::RecordFunctionCallback(begin, end).needsInputs(true).needsOutputs(true).scopes({at::RecordScope::FUNCTION}));
  watched = 0;
  static_cast<void>(method.call(input));
  at::removeCallback(handle);
  return watched;
}

}  // namespace vaeguard::torchscript
