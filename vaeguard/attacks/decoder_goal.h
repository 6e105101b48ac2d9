// Goals on the reconstruction of the attacked image, with gradients through decoder and encoder.
#pragma once

#include <string>

#include "vaeguard/attacks/goal.h"
#include "vaeguard/base/pool.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::attacks {

/// Decodes the means, or drawn codes, in batches, and propagates gradients from the decoder's output back to the code.
/// Goals of this family differ only in `output_value`.
class DecoderGoal : public Goal {
 public:
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::int64_t size() const override { return images_.rows(); }
  [[nodiscard]] std::int64_t latent_size() const override { return vae_.latent_size(); }
  double value(std::int64_t reference, std::span<const float> encoder_output,
               std::span<float> gradient) const override {
    return evaluate_one(reference, encoder_output, gradient);
  }
  void evaluate(std::span<const GoalRow> rows, const Matrix& outputs, std::span<double> values,
                Matrix* gradients) const override;

 protected:
  /// `images` [references, P], with which reconstructions are compared. `vae` must outlive the goal.
  DecoderGoal(std::string_view name, const models::Vae& vae, Matrix images);
  [[nodiscard]] const models::Likelihood& likelihood() const { return vae_.likelihood(); }
  [[nodiscard]] std::span<const float> image(std::int64_t reference) const { return images_.row(reference); }

 private:
  /// The value to maximise, of the decoder's output [P] (logits for Bernoulli); writes its gradient [P] unless empty.
  virtual double output_value(std::int64_t reference, std::span<const float> decoder_output,
                              std::span<float> gradient) const = 0;

  std::string name_;
  const models::Vae& vae_;
  Matrix images_;
  mutable Pool<networks::Tape> tapes_;
};

/// The Euclidean distance of the mean reconstruction from an image: away from the clean image's reconstruction it is
/// the maximum-damage attack (Camuto et al. 2021, arXiv 2007.07365), towards a target image the attack on the output.
/// Its gradient is taken as 0 where the distance is 0.
class ReconstructionDistance : public DecoderGoal {
 public:
  enum class Sign { away, towards };
  ReconstructionDistance(std::string_view name, Sign sign, const models::Vae& vae, Matrix images)
      : DecoderGoal(name, vae, std::move(images)), sign_(sign) {}

 private:
  double output_value(std::int64_t reference, std::span<const float> decoder_output,
                      std::span<float> gradient) const override;

  Sign sign_;
};

/// log p(target image | code) in nats: the attack on the output measured by the model's own likelihood.
class TargetLikelihood : public DecoderGoal {
 public:
  TargetLikelihood(std::string_view name, const models::Vae& vae, Matrix targets)
      : DecoderGoal(name, vae, std::move(targets)) {}

 private:
  double output_value(std::int64_t reference, std::span<const float> decoder_output,
                      std::span<float> gradient) const override;
};

}  // namespace vaeguard::attacks
