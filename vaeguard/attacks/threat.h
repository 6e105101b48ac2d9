// What an attacker may do to an image: stay inside a ball around the reference and inside the range of pixels.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "vaeguard/attacks/pixel_budget.h"
#include "vaeguard/base/norm.h"
#include "vaeguard/base/random.h"
#include "vaeguard/base/registry.h"

namespace vaeguard::attacks {

/// The set {x : |x - reference| <= radius, low <= x <= high} of one image, or the part of it that `pixels` leaves.
/// Every function takes one row of pixels, and its reference lies in the range of pixels.
struct Threat {
  Norm norm = Norm::linf;
  double radius = 0.1;
  float low = 0.0F;
  float high = 1.0F;
  PixelBudget pixels = {};  // which pixels move, and how far each
  Key pixel_key{0};         // of the random numbers in `pixels`, which the radius does not change; one an image

  /// Moves x to the nearest point of the set. The result is inside also in float arithmetic: the norm of x - reference,
  /// computed in float or in double and summed in double, is at most `radius`, even if `radius` is not a float (0.1).
  /// NaN pixels become the reference's.
  void project(std::span<const float> reference, std::span<float> x) const;
  /// A point uniform in the set for L-infinity. For L2 and L1: uniform in the ball, with pixels that left their range
  /// mirrored at the reference, then projected; that is uniform in the set if the range does not cut the ball, or if
  /// references are black and white.
  void random_point(Key key, std::span<const float> reference, std::span<float> x) const;
  /// An outermost point of the ball, drawn uniformly, then projected: for L-infinity every pixel moves by +-radius or
  /// its share.
  void random_extreme(Key key, std::span<const float> reference, std::span<float> x) const;
  /// A unit move that increases a linear function with this gradient: its sign for L-infinity and the gradient over its
  /// norm for L2, which increase it most; for L1 equal moves of the twentieth of the pixels with the steepest gradients
  /// (Tramer and Boneh 2019, arXiv 1904.13000: the single steepest pixel would be best for one step, but ignores all
  /// others). 0 if the gradient is 0 or NaN.
  void steepest_direction(std::span<const float> gradient, std::span<float> direction) const;
  /// The same for an image `x` in the set: pixels at an end of their range do not move beyond it.
  void steepest_direction_from(std::span<const float> x, std::span<const float> gradient,
                               std::span<float> direction) const;
  /// How far each pixel moves if all that are not held move equally far to the boundary of the ball.
  [[nodiscard]] double pixel_share(std::span<const float> reference) const;
  /// |x - reference| in this norm.
  [[nodiscard]] double size(std::span<const float> reference, std::span<const float> x) const;
  /// Whether the mask holds a pixel: it has one value in the whole set.
  [[nodiscard]] bool holds(float reference) const { return pixels.holds(reference, low, high); }
  /// Gives held pixels this value, which is the reference's or, with a decoy, random.
  void hold(std::span<const float> reference, std::span<float> x) const;
};

/// Throws Misuse unless radius is finite and >= 0, low < high are finite, and `pixels` exists in this norm.
void validate(const Threat& threat);

}  // namespace vaeguard::attacks
