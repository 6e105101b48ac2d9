// Means and variances of draws that come one by one and are not kept.
#pragma once

#include <cstdint>
#include <vector>

#include "vaeguard/base/matrix.h"

namespace vaeguard::mcmc {

/// Of n chains that all give the same number of draws.
class Moments {
 public:
  /// The next draw of every chain [n, D].
  void add(const Matrix& draw);
  [[nodiscard]] std::int64_t draws() const { return draws_; }
  /// Each chain's mean [n, D], summed in float.
  [[nodiscard]] Matrix means() const;
  /// [n / group, D]: the variance of all draws of `group` consecutive chains about their common mean, with one less
  /// than their number in the denominator; NaN for a single draw. Throws Misuse unless group >= 1 divides the chains.
  [[nodiscard]] Matrix variances(std::int64_t group) const;

 private:
  std::int64_t draws_ = 0;
  Matrix sum_;
  Matrix origin_;                // the first draws: sums of what is left stay small
  std::vector<double> shifts_;   // [n, D] of draw - origin
  std::vector<double> squares_;  // [n, D] of its square
};

}  // namespace vaeguard::mcmc
