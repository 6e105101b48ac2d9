// The one place that tells likelihoods apart for libtorch: the formulas of models/bernoulli.cpp and so on.
#include "vaeguard/torchscript/tensor_likelihood.h"

#include <cmath>
#include <numbers>

#include "vaeguard/base/error.h"

namespace vaeguard::torchscript {
namespace {

using torch::Tensor;

TensorLikelihood bernoulli(const Value& /*options*/) {
  constexpr double kLinear = 40.0;  // above this, softplus(l) equals l in double
  return {.negative_log = [](const Tensor& p,
                             const Tensor& x) { return (torch::softplus(p, 1.0, kLinear) - p * x).sum(1); },
          .gradient = [](const Tensor& p, const Tensor& x) { return torch::sigmoid(p) - x; }};
}

double variance_of(const Value& options) { return options.find("variance")->number().value(); }

TensorLikelihood gaussian(const Value& options) {
  const double variance = variance_of(options);
  const double constant = std::log(2.0 * std::numbers::pi * variance);
  return {.negative_log =
              [=](const Tensor& p, const Tensor& x) {
                return 0.5 * ((p - x).square().sum(1) / variance + static_cast<double>(x.size(1)) * constant);
              },
          .gradient = [=](const Tensor& p, const Tensor& x) { return (p - x) / variance; }};
}

TensorLikelihood laplace(const Value& options) {
  const double scale = std::sqrt(0.5 * variance_of(options));
  return {.negative_log = [=](const Tensor& p,
                              const Tensor& x) { return ((p - x).abs() / scale + std::log(2.0 * scale)).sum(1); },
          .gradient = [=](const Tensor& p, const Tensor& x) { return (p - x).sign() / scale; }};
}

struct Form {
  std::string_view name;
  TensorLikelihood (*make)(const Value& options);
};

constexpr Form kForms[] = {{"bernoulli", bernoulli}, {"gaussian", gaussian}, {"laplace", laplace}};

}  // namespace

TensorLikelihood tensor_likelihood(const models::Likelihood& likelihood) {
  for (const Form& form : kForms) {
    if (form.name == likelihood.name()) {
      return form.make(likelihood.values());
    }
  }
  misuse("torchscript.tensor_likelihood", "libtorch needs a form of the likelihood {}, found none", likelihood.name());
}

}  // namespace vaeguard::torchscript
