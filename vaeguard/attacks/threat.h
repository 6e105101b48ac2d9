// What an attacker may do to an image: stay inside a ball around the reference and inside the range of pixels.
#pragma once

#include <span>
#include <string_view>

#include "vaeguard/base/random.h"

namespace vaeguard::attacks {

enum class Norm { linf };

std::string_view name(Norm norm);
/// Throws Misuse with the known names where there is no such norm.
Norm norm_from_name(std::string_view name);

/// The set {x : |x - reference| <= radius, low <= x <= high} of one image. Every function takes one row of pixels.
struct Threat {
  Norm norm = Norm::linf;
  double radius = 0.1;
  float low = 0.0F;
  float high = 1.0F;

  /// Moves x to the nearest point of the set. Holds as measured: for the result, x - reference computed in float or in
  /// double is at most `radius`, also where `radius` is no float (0.1). NaN pixels become the reference's.
  void project(std::span<const float> reference, std::span<float> x) const;
  /// A point uniform in the set.
  void random_point(Key key, std::span<const float> reference, std::span<float> x) const;
  /// An outermost point of the ball, drawn uniformly, then projected: for L-infinity every pixel moves by +-radius.
  void random_extreme(Key key, std::span<const float> reference, std::span<float> x) const;
  /// The unit move that raises a linear function of this gradient most: its sign for L-infinity, 0 where it is 0 or
  /// NaN.
  void steepest_direction(std::span<const float> gradient, std::span<float> direction) const;
  /// |x - reference| in this norm.
  [[nodiscard]] double size(std::span<const float> reference, std::span<const float> x) const;
  friend bool operator==(const Threat&, const Threat&) = default;
};

/// Throws Misuse unless radius is finite and >= 0 and low < high are finite.
void validate(const Threat& threat);

}  // namespace vaeguard::attacks
