// A linear classifier on latent codes: logits, prediction, and cross-entropy with its gradient.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"

namespace vaeguard::models {

/// The prediction for a code that is not finite: no class, so that it agrees with no label.
inline constexpr std::int64_t kNoClass = -1;

/// logits = weight z + bias.
struct LinearClassifier {
  Matrix weight;            // [classes, D]
  std::vector<float> bias;  // [classes]

  [[nodiscard]] std::int64_t classes() const { return weight.rows(); }
  [[nodiscard]] std::int64_t latent_size() const { return weight.columns(); }
  /// Latents [B, D] -> logits [B, classes].
  [[nodiscard]] Matrix logits(const Matrix& latents) const;
  /// Latents [B, D] -> softmax of the logits [B, classes].
  [[nodiscard]] Matrix probabilities(const Matrix& latents) const;
  /// The class with the largest logit of each row; the first in a tie; kNoClass if a logit is not finite.
  [[nodiscard]] std::vector<std::int64_t> predict(const Matrix& latents) const;
  /// -log softmax(logits)[label] in nats, in double; writes its gradient with respect to `latent` [D] unless empty.
  double cross_entropy(std::span<const float> latent, std::int64_t label, std::span<float> gradient) const;

  friend bool operator==(const LinearClassifier&, const LinearClassifier&) = default;
};

/// The share of rows whose prediction equals the label.
double accuracy(const LinearClassifier& classifier, const Matrix& latents, std::span<const std::int64_t> labels);

}  // namespace vaeguard::models
