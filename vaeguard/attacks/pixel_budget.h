// Which pixels of an image an attack moves, and how far each: a mask, radii of their own, noise on what the mask holds.
#pragma once

#include <string>
#include <string_view>

#include "vaeguard/base/norm.h"
#include "vaeguard/base/option_schema.h"
#include "vaeguard/base/registry.h"

namespace vaeguard::attacks {

enum class Mask { none, unsaturated };
enum class PixelRadii { equal, random };
enum class Decoy { none, noise };

/// How an attacker who does not know the defence can avoid the traces by which defences recognise attacks: a saturated
/// pixel that has moved gives away the attack's sign, and equal changes give away its radius.
struct PixelBudget {
  Mask mask = Mask::none;     // unsaturated: pixels within `mask_margin` of an end of their range are held
  double mask_margin = 0.02;  // as a share of the range: the others lie in (0.02, 0.98)
  PixelRadii pixel_radii = PixelRadii::equal;  // random: each pixel's is a share of the radius, uniform in (0.2, 1)
  /// Noise: held pixels take what the attack `noise` would give them, the pixel's radius up or down, cut to the range.
  /// They have it before the optimiser starts, so the objective knows it and the moving pixels make up for it.
  Decoy decoy = Decoy::none;

  /// Whether all pixels move, each as far as the radius.
  [[nodiscard]] bool plain() const { return *this == PixelBudget{.mask_margin = mask_margin}; }
  /// Whether a pixel stays, given its reference and the range low .. high of pixels.
  [[nodiscard]] bool holds(float reference, float low, float high) const;
  friend bool operator==(const PixelBudget&, const PixelBudget&) = default;
};

/// The options as plans write them.
const OptionSchema<PixelBudget>& pixel_budget_schema();
/// Throws Misuse: a decoy needs a mask; decoys and radii of their own exist for L-infinity only. In the other norms
/// noise would use up the attack's radius, and pixels have no radius.
void validate(const PixelBudget& budget, Norm norm, std::string_view place);

/// One departure from the plain budget as records and reports call it.
struct PixelBudgetEntry {
  std::string_view name;  // follows the attack's name in records: encoder_skl_unsaturated
  std::string_view title;
  std::string_view description;
  bool (*applies)(const PixelBudget&);
};

/// In the order in which their names follow an attack's.
const Registry<PixelBudgetEntry>& pixel_budgets();
/// What follows the name of an attack with this budget: "_unsaturated_decoy"; nothing for a plain one.
std::string name_ending(const PixelBudget& budget);

}  // namespace vaeguard::attacks
