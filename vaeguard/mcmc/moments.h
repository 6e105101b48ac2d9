// Streaming means and variances of draws that are not kept.
#pragma once

#include <cstdint>
#include <vector>

#include "vaeguard/base/matrix.h"

namespace vaeguard::mcmc {

/// For n chains that all give the same number of draws.
class Moments {
 public:
  /// Adds the next draw of every chain [n, D].
  void add(const Matrix& draw);
  [[nodiscard]] std::int64_t draws() const { return draws_; }
  /// Each chain's mean [n, D], summed in float.
  [[nodiscard]] Matrix means() const;
  /// [n / group, D]: the sample variance (n - 1 in the denominator) of all draws of `group` consecutive chains about
  /// their common mean; NaN for a single draw. Throws Misuse unless group >= 1 divides the number of chains.
  [[nodiscard]] Matrix variances(std::int64_t group) const;

 private:
  std::int64_t draws_ = 0;
  Matrix sum_;
  Matrix origin_;                // the first draws, subtracted so that sums stay small
  std::vector<double> shifts_;   // [n, D] of draw - origin
  std::vector<double> squares_;  // [n, D] of its square
};

}  // namespace vaeguard::mcmc
