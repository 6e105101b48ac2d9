// The divergence between a code and that of its reconstruction, and its gradients.
#include "vaeguard/training/self_consistency.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard::training {

double inconsistency(std::span<const float> mean, std::span<const float> log_variance, std::span<const float> again,
                     double rho, std::span<float> gradient, std::span<float> gradient_again) {
  const std::size_t size = mean.size();
  const double variance = 1.0 - rho * rho;  // of p(z'|z)
  double sum = 0.0;
  for (std::size_t d = 0; d < size; ++d) {
    const double gap = again[d] - rho * mean[d];
    const double spread = log_variance.empty() ? 0.0 : rho * rho * std::exp(static_cast<double>(log_variance[d]));
    const double log_variance_again = again[size + d];
    const double variance_again = std::exp(log_variance_again);
    sum += 0.5 * ((variance_again + spread + gap * gap) / variance - log_variance_again + std::log(variance) - 1.0);
    if (!gradient.empty()) {
      gradient[d] = static_cast<float>(-rho * gap / variance);
      gradient[size + d] = static_cast<float>(0.5 * spread / variance);
    }
    if (!gradient_again.empty()) {
      gradient_again[d] = static_cast<float>(gap / variance);
      gradient_again[size + d] = static_cast<float>(0.5 * (variance_again / variance - 1.0));
    }
  }
  return sum;
}

void check_correlation(double rho) {
  if (!(rho >= 0.0 && rho < 1.0)) {
    misuse("training.self_consistency", "correlation must be in [0, 1), got {}", rho);
  }
}

double add_inconsistency(const networks::TrainableNetwork& encoder, const Matrix& encoded, double rho,
                         EncoderPass& pass, Matrix& encoded_gradients, std::span<float> gradient) {
  pass.forward(encoder);
  const auto size = static_cast<std::size_t>(encoded.columns() / 2);
  return pass.compare(
      encoder, encoded,
      [&](std::span<const float> code, std::span<const float> other, std::span<float> own, std::span<float> others) {
        return inconsistency(code.first(size), code.last(size), other, rho, own, others);
      },
      encoded_gradients, gradient);
}

}  // namespace vaeguard::training
