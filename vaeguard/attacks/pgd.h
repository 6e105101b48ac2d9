// Projected steepest ascent with a random start and a decaying step; every image keeps its best iterate.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "vaeguard/attacks/attack.h"
#include "vaeguard/base/option_schema.h"

namespace vaeguard::attacks {

enum class Schedule { cosine, linear, constant };

/// x_0 uniform in the threat, x_{k+1} = project(x_k + step_k direction(g_k)), the sign of g_k for L-infinity (Madry et
/// al. 2018). step_k falls from first_step to 0 along a half cosine or a line, or stays. g_k is the gradient, or with
/// momentum mu its running sum g_k = mu g_{k-1} + gradient / |gradient|_1 (MI-FGSM, Dong et al. 2018, eq. 6).
struct PgdOptions {
  std::int64_t iterations = 50;  // gradients spent on each image
  double first_step = 2.0;       // in radii: the first steps jump from corner to corner of the ball
  Schedule schedule = Schedule::cosine;
  double momentum = 0.0;
  double enough = std::numeric_limits<double>::infinity();  // an image is finished once its objective exceeds this
};

/// The options as plans write them.
const OptionSchema<PgdOptions>& pgd_schema();
/// Throws Misuse naming the option.
void validate(const PgdOptions& options);

/// The momentum method with its constant step: the diameter of the ball over 50 iterations.
PgdOptions mi_fgsm_options();

class Pgd : public Attack {
 public:
  explicit Pgd(const PgdOptions& options = {}, std::string_view name = "pgd");
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] const PgdOptions& options() const { return options_; }

 private:
  /// The iterate with the largest finite objective of each row.
  [[nodiscard]] Matrix maximise(Search& search) const override;

  PgdOptions options_;
  std::string name_;
};

/// Starts each row at a random point of its threat, by the key's fold "start".
Matrix random_starts(const Search& search);

}  // namespace vaeguard::attacks
