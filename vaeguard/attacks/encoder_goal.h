// Goals on the encoding: away from the clean image's, or towards another image's, under five measures of distance.
#pragma once

#include <string>

#include "vaeguard/attacks/goal.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::attacks {

/// The distance of an encoding q = N(m, e^v) from another p = N(n, e^w), both diagonal; sums over the D dimensions.
///   symmetric_kl   (KL(p|q) + KL(q|p)) / 2 = sinh^2((v - w) / 2) + (m - n)^2 (e^-v + e^-w) / 4     (eq. 3)
///   forward_kl     KL(p|q) = (v - w + e^(w - v) - 1 + (m - n)^2 e^-v) / 2
///   reverse_kl     KL(q|p) = (w - v + e^(v - w) - 1 + (m - n)^2 e^-w) / 2
///   means          (m - n)^2
///   wasserstein    the squared 2-Wasserstein distance, (m - n)^2 + (e^(v / 2) - e^(w / 2))^2
/// The gradient of each is 0 where q = p, so an optimiser that leaves an encoding must not start there.
enum class EncodingGap { symmetric_kl, forward_kl, reverse_kl, means, wasserstein };

/// The gap between row `row` of `other` and an encoder output; writes its gradient with respect to the output unless
/// `gradient` is empty.
double encoding_gap(EncodingGap gap, const models::Encoding& other, std::int64_t row,
                    std::span<const float> encoder_output, std::span<float> gradient);

enum class Direction { away, towards };

/// away: the gap itself, the unsupervised attack. towards: its negative, the latent-space attack towards a target image
/// (Kos, Fischer and Song 2018, "Adversarial examples for generative models"; Table 1).
class EncoderGoal : public Goal {
 public:
  /// `others` [references, D]: each reference's own encoding, or its target's.
  EncoderGoal(std::string_view name, EncodingGap gap, Direction direction, models::Encoding others);

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::int64_t size() const override { return others_.mean.rows(); }
  [[nodiscard]] std::int64_t latent_size() const override { return others_.mean.columns(); }
  double value(std::int64_t reference, std::span<const float> encoder_output, std::span<float> gradient) const override;

 private:
  std::string name_;
  EncodingGap gap_;
  Direction direction_;
  models::Encoding others_;
};

}  // namespace vaeguard::attacks
