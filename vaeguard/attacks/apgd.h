// Projected ascent that halves its step and returns to its best point when it stops improving.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "vaeguard/attacks/attack.h"
#include "vaeguard/base/option_schema.h"

namespace vaeguard::attacks {

/// Auto-PGD (Croce and Hein 2020, arXiv 2003.01690, algorithm 1), for any norm by its steepest direction:
///   z = project(x_k + step direction(gradient));  x_{k+1} = project(x_k + a (z - x_k) + (1 - a) (x_k - x_{k-1}))
/// with a = momentum, 1 at the first step. At each checkpoint an image halves its step and continues from its best
/// point, with the gradient found there and without momentum, if fewer than a share rho of the steps since the last
/// checkpoint went up, or if neither step nor best value changed since then.
struct ApgdOptions {
  std::int64_t iterations = 100;  // gradients spent on each image
  double first_step = 2.0;        // in radii
  double momentum = 0.75;         // the weight a of the new direction
  double rho = 0.75;
  double enough = std::numeric_limits<double>::infinity();  // an image is finished once its objective exceeds this
};

/// The options as plans write them.
const OptionSchema<ApgdOptions>& apgd_schema();
/// Throws Misuse naming the option.
void validate(const ApgdOptions& options);

/// The iterations at which steps may be halved: ceil(p_j iterations) with p_0 = 0, p_1 = 0.22, p_{j+1} = p_j + max(p_j
/// - p_{j-1} - 0.03, 0.06).
std::vector<std::int64_t> apgd_checkpoints(std::int64_t iterations);

class Apgd : public Attack {
 public:
  explicit Apgd(const ApgdOptions& options = {});
  [[nodiscard]] std::string_view name() const override { return "apgd"; }
  [[nodiscard]] const ApgdOptions& options() const { return options_; }

 private:
  /// The iterate with the largest finite objective of each row.
  [[nodiscard]] Matrix maximise(Search& search) const override;

  ApgdOptions options_;
};

}  // namespace vaeguard::attacks
