// The radius of an attack as an observation model knows it: given, found for each image, or told.
#pragma once

#include "vaeguard/base/option_schema.h"

namespace vaeguard::defences {

struct Radius {
  double given = 0.0;      // in units of the pixel range; 0 to find it for each image
  double largest = 0.3;    // that may be found
  bool of_attack = false;  // the defender is told the attack's radius

  /// Itself with that radius where it waits for one; 0 where there was no attack.
  [[nodiscard]] Radius told(double attack_radius) const;
};

/// `radius`, which may be the word "attack", and `largest_radius`.
const OptionSchema<Radius>& radius_schema();

}  // namespace vaeguard::defences
