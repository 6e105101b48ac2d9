// The Adam update (Kingma and Ba 2015, algorithm 1), one number at a time; shared by training, attacks and defences.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace vaeguard {

struct AdamDecays {
  double mean = 0.9;
  double square = 0.999;
  double floor = 1e-8;  // epsilon, added to the root of the mean square
};

/// Two ways of writing the same update, which differ only in rounding. Both are kept so that weights and points found
/// with either can be reproduced bit for bit.
enum class AdamForm {
  differences,  // m += (1 - b) (g - m), and the mean square corrected under the root
  sums,         // m = b m + (1 - b) g, and the root corrected
};

/// Step t = 1, 2, ... for any number of unknowns, in the arithmetic of `Real`.
template <typename Real, AdamForm kForm>
class AdamStep {
 public:
  AdamStep(const AdamDecays& decays, std::int64_t t, double rate)
      : mean_decay_(static_cast<Real>(decays.mean)),
        square_decay_(static_cast<Real>(decays.square)),
        floor_(static_cast<Real>(decays.floor)),
        rate_(static_cast<Real>(rate / (1.0 - std::pow(decays.mean, static_cast<double>(t))))) {
    const double seen = 1.0 - std::pow(decays.square, static_cast<double>(t));
    correction_ = static_cast<Real>(kForm == AdamForm::sums ? 1.0 / std::sqrt(seen) : 1.0 / seen);
  }

  /// Updates the running means, both of which start at 0, with a gradient. Returns how far to move, along the gradient
  /// for ascent and against it for descent: rate m / (sqrt(v) + floor), with both means bias-corrected.
  Real operator()(Real gradient, Real& mean, Real& square) const {
    if constexpr (kForm == AdamForm::sums) {
      mean = mean_decay_ * mean + (Real{1} - mean_decay_) * gradient;
      square = square_decay_ * square + (Real{1} - square_decay_) * gradient * gradient;
      return rate_ * mean / (std::sqrt(square) * correction_ + floor_);
    } else {
      mean += (Real{1} - mean_decay_) * (gradient - mean);
      square += (Real{1} - square_decay_) * (gradient * gradient - square);
      return rate_ * mean / (std::sqrt(square * correction_) + floor_);
    }
  }

 private:
  Real mean_decay_;
  Real square_decay_;
  Real floor_;
  Real rate_;
  Real correction_;
};

/// A rate that decays from `first` to 0 along half a cosine over `total` steps, after `done` of them.
inline double half_cosine(double first, std::int64_t done, std::int64_t total) {
  const double angle = std::numbers::pi * static_cast<double>(done) / static_cast<double>(total);
  return 0.5 * first * (1.0 + std::cos(angle));
}

}  // namespace vaeguard
