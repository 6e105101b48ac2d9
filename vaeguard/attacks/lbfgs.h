// L-BFGS on the goal with a penalty on the distortion, for a sweep of penalties, and the resulting distortion curve.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/attacks/attack.h"
#include "vaeguard/attacks/distortion_curve.h"
#include "vaeguard/base/option_schema.h"

namespace vaeguard::attacks {

/// For each penalty lambda, ascending in equal ratios: minimise lambda |x - reference|_2^2 - objective(x) over the box
/// by L-BFGS (base/lbfgs.h) from one random start near the reference. The box is enforced by the change of variables x
/// = low + (high - low) sin^2(w), whose derivative vanishes only at the sides, which random starts avoid. The sweep and
/// its range are those of Kos, Fischer and Song 2018 and Gondim-Ribeiro, Tabacof and Valle 2018 (arXiv 1806.04646), who
/// penalise the distance itself.
struct LbfgsOptions {
  std::int64_t penalties = 21;
  double least = 0x1p-20;
  double greatest = 0x1p20;
  std::int64_t iterations = 20;   // gradients for each penalty; a line search may add a few
  double start_deviation = 0.05;  // of a pixel, before it is moved into the box
};

/// The options as plans write them.
const OptionSchema<LbfgsOptions>& lbfgs_schema();
/// Throws Misuse naming the option.
void validate(const LbfgsOptions& options);

/// The penalties of a sweep, ascending.
std::vector<double> penalties(const LbfgsOptions& options);

/// As an attack inside a threat: each penalty's solution is projected onto it.
class Lbfgs : public Attack {
 public:
  explicit Lbfgs(const LbfgsOptions& options = {});
  [[nodiscard]] std::string_view name() const override { return "lbfgs"; }
  [[nodiscard]] const LbfgsOptions& options() const { return options_; }

 private:
  /// The solution with the largest finite objective of each row, after projection.
  [[nodiscard]] Matrix maximise(Search& search) const override;

  LbfgsOptions options_;
};

/// The solutions of all penalties, ascending, for each row of `references`, limited only by the box. Throws Interrupted
/// between rows if the observer asks.
std::vector<std::vector<SweepPoint>> sweep_penalties(const ScalarField& objective, const Matrix& references,
                                                     std::span<const Key> keys, const LbfgsOptions& options,
                                                     const Execution& execution = {});

}  // namespace vaeguard::attacks
