// L-BFGS on goal and penalised distortion, for a sweep of penalties: the literature's attack and its distortion curve.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/attacks/attack.h"
#include "vaeguard/attacks/distortion_curve.h"
#include "vaeguard/base/option_schema.h"

namespace vaeguard::attacks {

/// For each penalty lambda, from least to greatest in equal ratios: minimise lambda |x - reference|_2^2 - objective(x)
/// over the box by L-BFGS (base/lbfgs.h) from one random start near the reference. The box is kept by the change of
/// variables x = low + (high - low) sin^2(w), whose slope vanishes at a side only, and which random starts leave. The
/// sweep and its range are those of Kos, Fischer and Song 2018 and Gondim-Ribeiro, Tabacof and Valle 2018 (arXiv
/// 1806.04646), who penalise the distance itself.
struct LbfgsOptions {
  std::int64_t penalties = 21;
  double least = 0x1p-20;
  double greatest = 0x1p20;
  std::int64_t iterations = 20;   // gradients for each penalty, a few more where a line search takes them
  double start_deviation = 0.05;  // of a pixel, before it is kept inside the box
};

/// The options as plans write them.
const OptionSchema<LbfgsOptions>& lbfgs_schema();
/// Throws Misuse naming the option.
void validate(const LbfgsOptions& options);

/// The penalties of a sweep, rising.
std::vector<double> penalties(const LbfgsOptions& options);

/// As an attack inside a threat: each penalty's answer is projected onto it.
class Lbfgs : public Attack {
 public:
  explicit Lbfgs(const LbfgsOptions& options = {});
  [[nodiscard]] std::string_view name() const override { return "lbfgs"; }
  [[nodiscard]] const LbfgsOptions& options() const { return options_; }

 private:
  /// The answer with the largest finite objective of each row, after projection.
  [[nodiscard]] Matrix maximise(Search& search) const override;

  LbfgsOptions options_;
};

/// The answers of all penalties, rising, for each row of `references`, without any threat but the box. Throws
/// Interrupted between rows when the observer asks.
std::vector<std::vector<SweepPoint>> sweep_penalties(const ScalarField& objective, const Matrix& references,
                                                     std::span<const Key> keys, const LbfgsOptions& options,
                                                     const Execution& execution = {});

}  // namespace vaeguard::attacks
