// A method of a module as a differentiable function of rows; for the sources of this folder only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "vaeguard/networks/network.h"
#include "vaeguard/torchscript/module_method.h"

namespace vaeguard::torchscript {

/// What stands around a method.
struct ModuleForm {
  std::vector<std::int64_t> input;                            // what a row becomes: [C, H, W]
  std::function<torch::Tensor(const torch::Tensor&)> before;  // of rows [n, in]; may be empty
  std::function<torch::Tensor(const NamedTensors&)> after;    // from outputs to rows [n, out]
  std::int64_t outputs = 0;                                   // of a row
};

/// Gradients by libtorch's autograd, tangents by two backward passes, or by differences where the module has an
/// operation of which libtorch has no second derivative; tangent_backend() says so. As libtorch may choose its
/// algorithm by the number of rows, a row's result depends on its batch, within rounding. Sets libtorch to one thread.
class ModuleFunction : public networks::DifferentiableFunction {
 public:
  /// Tries it on a few rows that `probe` [3, in] gives. Throws Misuse that names the file, what was expected and what
  /// was found if it fails on them, gives other shapes or no gradients, if its values change from call to call, or if
  /// rows depend on each other.
  ModuleFunction(std::shared_ptr<const ModuleMethod> method, ModuleForm form, const Matrix& probe);

  [[nodiscard]] std::int64_t input_size() const override { return inputs_; }
  [[nodiscard]] std::int64_t output_size() const override { return form_.outputs; }
  [[nodiscard]] std::string_view backend() const override { return "torchscript"; }
  [[nodiscard]] std::string_view tangent_backend() const override { return differences_ ? "differences" : backend(); }
  [[nodiscard]] std::unique_ptr<networks::Tape> make_tape() const override;
  void forward(const Matrix& inputs, Matrix& outputs, networks::Tape& tape) const override;
  void backward(const Matrix& output_gradients, Matrix& input_gradients, networks::Tape& tape) const override;
  void tangent(const Matrix& input_tangents, Matrix& output_tangents, networks::Tape& tape) const override;

 private:
  [[nodiscard]] torch::Tensor run(const torch::Tensor& rows) const;
  void tangent_by_differences(const Matrix& input_tangents, Matrix& output_tangents, networks::Tape& tape) const;
  void check_rows(const Matrix& probe) const;
  void check_gradients(const Matrix& probe);

  std::shared_ptr<const ModuleMethod> method_;
  ModuleForm form_;
  std::int64_t inputs_;
  bool differences_ = false;
};

}  // namespace vaeguard::torchscript
