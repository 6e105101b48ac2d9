// Projected steepest ascent with a random start and a decaying step; every image keeps its best iterate.
#pragma once

#include <cstdint>

#include "vaeguard/attacks/attack.h"

namespace vaeguard::attacks {

enum class Schedule { cosine, linear };

/// x_0 uniform in the threat, x_{k+1} = project(x_k + step_k direction(gradient)), the sign of the gradient for
/// L-infinity. step_k falls from first_step to 0 along a half cosine or a line.
struct SignPgdOptions {
  std::int64_t iterations = 50;  // gradients spent on each image
  double first_step = 2.0;       // in radii: the first steps jump from corner to corner of the ball
  Schedule schedule = Schedule::cosine;
};

void validate(const SignPgdOptions& options);

class SignPgd : public Attack {
 public:
  explicit SignPgd(const SignPgdOptions& options = {});
  [[nodiscard]] std::string_view name() const override { return "sign_pgd"; }
  [[nodiscard]] const SignPgdOptions& options() const { return options_; }

 private:
  /// The iterate with the largest finite objective of each row.
  [[nodiscard]] Matrix maximise(Search& search) const override;

  SignPgdOptions options_;
};

}  // namespace vaeguard::attacks
