// Adam on the perturbation: per-pixel steps, larger where recent gradients agree.
#pragma once

#include <cstdint>
#include <limits>

#include "vaeguard/attacks/attack.h"
#include "vaeguard/base/option_schema.h"

namespace vaeguard::attacks {

/// Adam (Kingma and Ba 2015) from a random start, projected after every step; the step falls to 0 along half a cosine.
/// first_step is in radii: with 1, one step moves every pixel to the boundary of the ball.
struct AdamOptions {
  std::int64_t iterations = 50;  // gradients spent on each image
  double first_step = 0.5;
  double mean_decay = 0.9;
  double square_decay = 0.99;                               // a shorter memory than usual, for few steps
  double enough = std::numeric_limits<double>::infinity();  // an image is finished once its objective exceeds this
};

/// The options as plans write them.
const OptionSchema<AdamOptions>& adam_schema();
/// Throws Misuse naming the option.
void validate(const AdamOptions& options);

class Adam : public Attack {
 public:
  explicit Adam(const AdamOptions& options = {});
  [[nodiscard]] std::string_view name() const override { return "adam"; }
  [[nodiscard]] const AdamOptions& options() const { return options_; }

 private:
  /// The iterate with the largest finite objective of each row.
  [[nodiscard]] Matrix maximise(Search& search) const override;

  AdamOptions options_;
};

}  // namespace vaeguard::attacks
