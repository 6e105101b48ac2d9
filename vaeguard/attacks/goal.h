// What an attacker maximises: a number made of the encoder's outputs for one image, each goal with its own sign.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/models/classifier.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::attacks {

/// One goal per reference image. D is the size of the latent code; an encoder output is [mean (D), log-variance (D)].
class Goal {
 public:
  virtual ~Goal() = default;
  /// The attack's name in records: "encoder_skl", "classifier_ce".
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// The number of references.
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// D.
  [[nodiscard]] virtual std::int64_t latent_size() const = 0;
  /// What the attacker of this reference wants large, in nats. Writes the gradient with respect to `encoder_output`
  /// [2 D] unless `gradient` is empty. May overflow to infinity or NaN; optimisers treat that as data.
  virtual double value(std::int64_t reference, std::span<const float> encoder_output,
                       std::span<float> gradient) const = 0;
};

/// The unsupervised goal of eq. 3: the symmetric KL divergence (KL(p|q) + KL(q|p)) / 2 between the encodings of the
/// attacked image and of its reference,
///   sum_d sinh^2((v - v_r) / 2) + (m - m_r)^2 (exp(-v) + exp(-v_r)) / 4   for means m and log-variances v.
/// Its gradient is 0 at the reference, so an optimiser must start elsewhere.
class SymmetricKl : public Goal {
 public:
  explicit SymmetricKl(models::Encoding references);

  [[nodiscard]] std::string_view name() const override { return "encoder_skl"; }
  [[nodiscard]] std::int64_t size() const override { return references_.mean.rows(); }
  [[nodiscard]] std::int64_t latent_size() const override { return references_.mean.columns(); }
  double value(std::int64_t reference, std::span<const float> encoder_output, std::span<float> gradient) const override;

 private:
  models::Encoding references_;  // [references, D]
};

/// Cross-entropy of the latent classifier, applied to the mean, against its own prediction for the clean image.
class ClassifierCrossEntropy : public Goal {
 public:
  /// `reference_means` [references, D] are the clean images' latent means.
  ClassifierCrossEntropy(models::LinearClassifier classifier, const Matrix& reference_means);

  [[nodiscard]] std::string_view name() const override { return "classifier_ce"; }
  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(predictions_.size()); }
  [[nodiscard]] std::int64_t latent_size() const override { return classifier_.latent_size(); }
  double value(std::int64_t reference, std::span<const float> encoder_output, std::span<float> gradient) const override;

 private:
  models::LinearClassifier classifier_;
  std::vector<std::int64_t> predictions_;  // [references]
};

}  // namespace vaeguard::attacks
