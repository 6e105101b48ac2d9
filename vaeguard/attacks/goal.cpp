// Symmetric KL between encodings, and cross-entropy of the latent classifier, with their gradients.
#include "vaeguard/attacks/goal.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {

SymmetricKl::SymmetricKl(models::Encoding references) : references_(std::move(references)) {
  check_shape("attacks.goal", "log-variances of the references", references_.log_variance, references_.mean.rows(),
              references_.mean.columns());
  check_finite("attacks.goal", "means of the references", references_.mean);
  check_finite("attacks.goal", "log-variances of the references", references_.log_variance);
}

double SymmetricKl::value(std::int64_t reference, std::span<const float> encoder_output,
                          std::span<float> gradient) const {
  const auto reference_mean = references_.mean.row(reference);
  const auto reference_log_variance = references_.log_variance.row(reference);
  const std::size_t latents = reference_mean.size();
  double total = 0.0;
  for (std::size_t d = 0; d < latents; ++d) {
    const double shift = static_cast<double>(encoder_output[d]) - reference_mean[d];
    const double log_variance = encoder_output[latents + d];
    const double spread = log_variance - reference_log_variance[d];
    const double precision = std::exp(-log_variance);
    const double both = precision + std::exp(-static_cast<double>(reference_log_variance[d]));
    // sinh^2 keeps the digits that (e^s + e^-s) / 4 - 1/2 cancels for small s.
    const double half = std::sinh(spread / 2.0);
    total += half * half + shift * shift * both / 4.0;
    if (!gradient.empty()) {
      gradient[d] = static_cast<float>(shift * both / 2.0);
      gradient[latents + d] = static_cast<float>(std::sinh(spread) / 2.0 - shift * shift * precision / 4.0);
    }
  }
  return total;
}

ClassifierCrossEntropy::ClassifierCrossEntropy(models::LinearClassifier classifier, const Matrix& reference_means)
    : classifier_(std::move(classifier)) {
  check_shape("attacks.goal", "means of the references", reference_means, -1, classifier_.latent_size());
  check_finite("attacks.goal", "means of the references", reference_means);
  predictions_ = classifier_.predict(reference_means);
}

double ClassifierCrossEntropy::value(std::int64_t reference, std::span<const float> encoder_output,
                                     std::span<float> gradient) const {
  const auto latents = static_cast<std::size_t>(classifier_.latent_size());
  if (!gradient.empty()) {
    std::ranges::fill(gradient.subspan(latents), 0.0F);
  }
  return classifier_.cross_entropy(encoder_output.first(latents), predictions_[static_cast<std::size_t>(reference)],
                                   gradient.empty() ? gradient : gradient.first(latents));
}

}  // namespace vaeguard::attacks
