// What an attacker maximises: a function of the encoder's outputs for one image, each goal with its own sign.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "vaeguard/base/matrix.h"

namespace vaeguard::attacks {

/// The reference and restart of a row.
struct GoalRow {
  std::int64_t reference = 0;
  std::int64_t restart = 0;
};

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
  /// The value to maximise for this reference. Writes the gradient with respect to `encoder_output` [2 D] unless
  /// `gradient` is empty. May overflow to infinity or NaN; optimisers treat that as data. Called from several threads
  /// at once.
  virtual double value(std::int64_t reference, std::span<const float> encoder_output,
                       std::span<float> gradient) const = 0;
  /// The same for some rows at once: `outputs` [n, 2 D] -> values [n], and gradients [n, 2 D] unless null (resized).
  /// Calls `value` for each; goals that are faster in a batch, or that distinguish restarts, override it. A row's
  /// result does not depend on the other rows.
  virtual void evaluate(std::span<const GoalRow> rows, const Matrix& outputs, std::span<double> values,
                        Matrix* gradients) const;

 protected:
  /// `value` by `evaluate`, for the first restart: the `value` of goals that override `evaluate`.
  double evaluate_one(std::int64_t reference, std::span<const float> encoder_output, std::span<float> gradient) const;
};

}  // namespace vaeguard::attacks
