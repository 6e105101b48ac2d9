// Residuals from likelihoods.
#include "vaeguard/training/learned_variance.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vaeguard::training {

bool learns_variance(const models::Likelihood& likelihood) {
  const Value values = likelihood.values();
  const Value* variance = values.find("variance");
  return variance != nullptr && !variance->number().has_value();
}

models::Likelihood first_likelihood(const models::Likelihood& likelihood) {
  return learns_variance(likelihood) ? models::gaussian(0.5 / std::numbers::pi) : likelihood;
}

double variance_of(const models::Likelihood& gaussian) {
  const Value values = gaussian.values();
  return values.find("variance")->number().value();
}

double best_variance(double reconstruction, double variance) {
  const double residual = variance * (2.0 * reconstruction - std::log(2.0 * std::numbers::pi * variance));
  return std::max(residual, kLeastLearnedVariance);
}

}  // namespace vaeguard::training
