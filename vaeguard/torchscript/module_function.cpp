// Runs modules on chunks of rows, and tries them first.
#include "vaeguard/torchscript/module_function.h"

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/torchscript/tensors.h"

namespace vaeguard::torchscript {
namespace {

constexpr double kRounding = 1e-4;        // of values, relative to the largest
constexpr float kDifferenceStep = 5e-3F;  // about the cube root of float's precision

class ModuleTape : public networks::Tape {
 public:
  torch::Tensor input;
  torch::Tensor output;
};

torch::Tensor row_tensor(const Matrix& rows) {
  return image_tensor(rows, {rows.columns(), 1, 1}, torch::kCPU).flatten(1);
}

// Keeps the autograd graph, since backward may run several times after one forward.
torch::Tensor pull(const ModuleTape& tape, const torch::Tensor& gradient, bool differentiable) {
  const torch::Tensor result =
      torch::autograd::grad({tape.output}, {tape.input}, {gradient}, true, differentiable, true).front();
  return result.defined() ? result : torch::zeros_like(tape.input);
}

float largest(const Matrix& values) {
  float most = 0.0F;
  for (const float value : values.values()) {
    most = std::max(most, std::abs(value));
  }
  return most;
}

// x + step v
Matrix moved(const Matrix& x, const Matrix& v, float step) {
  Matrix result = x;
  std::ranges::transform(x.values(), v.values(), result.data(), [=](float a, float b) { return a + step * b; });
  return result;
}

}  // namespace

ModuleFunction::ModuleFunction(std::shared_ptr<const ModuleMethod> method, ModuleForm form, const Matrix& probe)
    : method_(std::move(method)),
      form_(std::move(form)),
      inputs_(std::accumulate(form_.input.begin(), form_.input.end(), std::int64_t{1}, std::multiplies())) {
  at::set_num_threads(1);  // callers distribute chunks of rows over threads
  check_rows(probe);
  check_gradients(probe);
}

std::unique_ptr<networks::Tape> ModuleFunction::make_tape() const { return std::make_unique<ModuleTape>(); }

torch::Tensor ModuleFunction::run(const torch::Tensor& rows) const {
  std::vector<std::int64_t> shape{rows.size(0)};
  shape.insert(shape.end(), form_.input.begin(), form_.input.end());
  torch::Tensor result;
  try {
    result = form_.after(method_->call((form_.before ? form_.before(rows) : rows).reshape(shape)));
  } catch (const Misuse&) {
    throw;
  } catch (const std::exception& problem) {  // scripts may throw more than c10::Error
    misuse(method_->place(), "failed on {}: {}", text_of(shape), reason_of(problem));
  }
  if (result.dim() != 2 || result.size(0) != rows.size(0) || result.size(1) != form_.outputs) {
    misuse(method_->place(), "of {} rows it must give [{}, {}], it gave {}; it must take any number of rows",
           rows.size(0), rows.size(0), form_.outputs, text_of(result.sizes()));
  }
  return result;
}

void ModuleFunction::forward(const Matrix& inputs, Matrix& outputs, networks::Tape& tape) const {
  check_shape(method_->place(), "inputs", inputs, -1, inputs_);
  auto& record = dynamic_cast<ModuleTape&>(tape);
  record.input = row_tensor(inputs).requires_grad_();
  // Modules need not take a batch of none.
  record.output = inputs.rows() == 0 ? torch::zeros({0, form_.outputs}) : run(record.input);
  to_matrix(record.output.detach(), outputs);
}

void ModuleFunction::backward(const Matrix& output_gradients, Matrix& input_gradients, networks::Tape& tape) const {
  const auto& record = dynamic_cast<ModuleTape&>(tape);
  check_shape(method_->place(), "output_gradients", output_gradients, record.input.size(0), form_.outputs);
  if (output_gradients.rows() == 0) {
    input_gradients.resize(0, inputs_);
    return;
  }
  to_matrix(pull(record, row_tensor(output_gradients), false), input_gradients);
}

// J v is the derivative of <J' u, v> with respect to u, whatever u is.
void ModuleFunction::tangent(const Matrix& input_tangents, Matrix& output_tangents, networks::Tape& tape) const {
  const auto& record = dynamic_cast<ModuleTape&>(tape);
  check_shape(method_->place(), "input_tangents", input_tangents, record.input.size(0), inputs_);
  if (input_tangents.rows() == 0) {
    output_tangents.resize(0, form_.outputs);
    return;
  }
  if (differences_) {
    tangent_by_differences(input_tangents, output_tangents, tape);
    return;
  }
  const torch::Tensor u = torch::zeros_like(record.output).requires_grad_();
  const torch::Tensor pulled = pull(record, u, true);
  const torch::Tensor pushed =
      pulled.requires_grad()
          ? torch::autograd::grad({pulled}, {u}, {row_tensor(input_tangents)}, true, false, true).front()
          : torch::Tensor();
  to_matrix(pushed.defined() ? pushed : torch::zeros_like(u).detach(), output_tangents);
}

// Each row with a step of its own, so that it does not depend on the others.
void ModuleFunction::tangent_by_differences(const Matrix& input_tangents, Matrix& output_tangents,
                                            networks::Tape& tape) const {
  Matrix at;
  to_matrix(dynamic_cast<ModuleTape&>(tape).input.detach(), at);
  Matrix unit = input_tangents;
  std::vector<float> sizes;
  for (std::int64_t row = 0; row < unit.rows(); ++row) {
    const float size = std::max(largest(input_tangents.slice(row, 1)), 1e-30F);
    std::ranges::for_each(unit.row(row), [=](float& value) { value /= size; });
    sizes.push_back(size);
  }
  const torch::NoGradGuard no_gradients;
  Matrix behind;
  to_matrix(run(row_tensor(moved(at, unit, kDifferenceStep))), output_tangents);
  to_matrix(run(row_tensor(moved(at, unit, -kDifferenceStep))), behind);
  for (std::int64_t row = 0; row < unit.rows(); ++row) {
    const float factor = 0.5F * sizes[static_cast<std::size_t>(row)] / kDifferenceStep;
    std::ranges::transform(output_tangents.row(row), behind.row(row), output_tangents.row(row).begin(),
                           [=](float ahead, float back) { return factor * (ahead - back); });
  }
}

void ModuleFunction::check_rows(const Matrix& probe) const {
  Matrix together;
  Matrix again;
  Matrix alone;
  const auto tape = make_tape();
  forward(probe, together, *tape);
  forward(probe, again, *tape);
  const double allowed = kRounding * std::max(largest(together), 1e-3F);
  if (const float change = largest(moved(together, again, -1.0F)); !(change <= allowed)) {
    misuse(
        method_->place(),
        "the same rows must give the same values at each call, they changed by {} (is something drawn, or is dropout "
        "on although the module is in evaluation mode?)",
        change);
  }
  for (std::int64_t row = 0; row < probe.rows(); ++row) {
    forward(probe.slice(row, 1), alone, *tape);
    if (const float change = largest(moved(together.slice(row, 1), alone, -1.0F)); !(change <= allowed)) {
      misuse(method_->place(),
             "a row must not depend on the rows beside it; row {} of {} differs by {} when it comes alone (does batch "
             "normalisation use the batch's own statistics, or a sum run over the batch?)",
             row, probe.rows(), change);
    }
  }
}

void ModuleFunction::check_gradients(const Matrix& probe) {
  const auto tape = make_tape();
  Matrix outputs;
  Matrix gradients;
  forward(probe, outputs, *tape);
  if (!dynamic_cast<ModuleTape&>(*tape).output.requires_grad()) {
    misuse(method_->place(),
           "attacks and samplers need gradients, and none reaches the input (is there a no_grad or a detach in it?)");
  }
  try {
    backward(outputs, gradients, *tape);
  } catch (const std::exception& problem) {
    misuse(method_->place(), "attacks and samplers need gradients, and the module has none: {}", reason_of(problem));
  }
  try {
    tangent(probe, outputs, *tape);
  } catch (const std::exception&) {  // not every operation can be differentiated twice
    differences_ = true;
  }
}

}  // namespace vaeguard::torchscript
