// The options of a pixel budget, what excludes what, and its words.
#include "vaeguard/attacks/pixel_budget.h"

#include <fmt/format.h>

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {

bool PixelBudget::holds(float reference, float low, float high) const {
  const double margin = mask_margin * (static_cast<double>(high) - low);
  return mask == Mask::unsaturated && !(reference > low + margin && reference < high - margin);
}

const OptionSchema<PixelBudget>& pixel_budget_schema() {
  static const auto schema =
      OptionSchema<PixelBudget>()
          .choice("mask", &PixelBudget::mask,
                  {{"none", Mask::none, "all"}, {"unsaturated", Mask::unsaturated, "those that are not near an end"}},
                  "the pixels that the attack moves")
          .number("mask_margin", &PixelBudget::mask_margin, from_to_below(0.0, 0.5),
                  "how near an end of the range of pixels is saturated, as a share of it")
          .unless([](const PixelBudget& budget) {
            return std::string(budget.mask == Mask::none ? "there is no mask" : "");
          })
          .choice("pixel_radii", &PixelBudget::pixel_radii,
                  {{"equal", PixelRadii::equal, "the radius"},
                   {"random", PixelRadii::random, "a random share of it, 0.2 to 1"}},
                  "how far each pixel may move; random for linf only")
          .choice("decoy", &PixelBudget::decoy,
                  {{"none", Decoy::none, "the reference"},
                   {"noise", Decoy::noise, "the pixel's radius up or down by chance"}},
                  "what a mask gives the pixels that do not move; noise for linf only");
  return schema;
}

void validate(const PixelBudget& budget, Norm norm, std::string_view place) {
  pixel_budget_schema().check(place, budget);
  if (budget.decoy == Decoy::noise && budget.mask == Mask::none) {
    misuse(place, "decoy = \"noise\" is for pixels that a mask holds: mask must be \"unsaturated\", got \"none\"");
  }
  if (budget.decoy == Decoy::noise && norm != Norm::linf) {
    misuse(place, "decoy = \"noise\" exists for linf only, since it would use up the attack's radius in {}",
           name(norm));
  }
  if (budget.pixel_radii == PixelRadii::random && norm != Norm::linf) {
    misuse(place, "pixel_radii = \"random\" exists for linf only, since pixels have no radius of their own in {}",
           name(norm));
  }
}

const Registry<PixelBudgetEntry>& pixel_budgets() {
  static const Registry<PixelBudgetEntry> entries(
      "attacks", "pixel budget",
      {{"unsaturated", "unsaturated pixels", "Pixels near black or white are left alone.",
        [](const PixelBudget& budget) { return budget.mask == Mask::unsaturated; }},
       {"random_radii", "random radii", "Each pixel moves by at most its own random share, 0.2 to 1, of the radius.",
        [](const PixelBudget& budget) { return budget.pixel_radii == PixelRadii::random; }},
       {"decoy", "decoy", "The pixels that are left alone get random noise of the attack's size.",
        [](const PixelBudget& budget) { return budget.decoy == Decoy::noise; }}});
  return entries;
}

std::string name_ending(const PixelBudget& budget) {
  std::string ending;
  for (const PixelBudgetEntry& entry : pixel_budgets()) {
    ending += entry.applies(budget) ? fmt::format("_{}", entry.name) : "";
  }
  return ending;
}

}  // namespace vaeguard::attacks
