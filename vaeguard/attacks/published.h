// The authors' attack: plain gradient ascent with a plateau schedule per image; the last iterate is kept.
#pragma once

#include <cstdint>

#include "vaeguard/attacks/attack.h"
#include "vaeguard/base/option_schema.h"

namespace vaeguard::attacks {

/// The loop that produced the paper's numbers, step by step, for comparison; `sign_pgd` is the stronger attack.
///   eps_0 = start_deviation N(0, 1), whatever the radius
///   repeat: eps <- clamp(x + eps, min x, max x) - x;  loss = -objective(x + eps);  eps <- eps - step grad loss;
///           halve `step` once the loss has not improved for more than `patience` iterations;  eps <- clamp(eps,
///           +-radius)
/// The range is that of this reference's own pixels, not [0, 1]; the gradient keeps its size and is no sign; the first
/// gradient is taken outside the ball if start_deviation is large; the last iterate is kept, not the best.
/// Exists for L-infinity only: the authors' projection for other norms tests one radius and scales to another.
struct PublishedOptions {
  std::int64_t iterations = 50;
  double step = 1.0;
  double start_deviation = 0.2;  // 0 for the supervised and the classifier goals
  std::int64_t patience = 20;
  double factor = 0.5;
  double threshold = 1e-4;  // relative
};

/// The options as plans write them.
const OptionSchema<PublishedOptions>& published_schema();
/// Throws Misuse naming the option.
void validate(const PublishedOptions& options);

class Published : public Attack {
 public:
  explicit Published(const PublishedOptions& options = {});
  [[nodiscard]] std::string_view name() const override { return "published"; }
  [[nodiscard]] const PublishedOptions& options() const { return options_; }

 private:
  [[nodiscard]] Matrix maximise(Search& search) const override;

  PublishedOptions options_;
};

}  // namespace vaeguard::attacks
