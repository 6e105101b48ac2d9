// Pixel budgets: which pixels they hold, what excludes what, and what they are called.
#include "vaeguard/attacks/pixel_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

TEST(PixelBudget, AMaskHoldsPixelsNearTheEndsOfTheirRange) {
  const PixelBudget masked{.mask = Mask::unsaturated};
  for (const float pixel : {0.0F, 0.01F, 0.0199999F, 0.9800001F, 0.99F, 1.0F}) {
    EXPECT_TRUE(masked.holds(pixel, 0.0F, 1.0F)) << pixel;
    EXPECT_FALSE(PixelBudget{}.holds(pixel, 0.0F, 1.0F)) << pixel;
  }
  for (const float pixel : {0.0200001F, 0.5F, 0.9799999F}) {
    EXPECT_FALSE(masked.holds(pixel, 0.0F, 1.0F)) << pixel;
  }
  EXPECT_TRUE((PixelBudget{.mask = Mask::unsaturated, .mask_margin = 0.0}.holds(1.0F, 0.0F, 1.0F)));
  // The margin is a share of the range: 0.08 of -1 .. 3.
  EXPECT_TRUE(masked.holds(-0.93F, -1.0F, 3.0F));
  EXPECT_FALSE(masked.holds(-0.91F, -1.0F, 3.0F));
}

TEST(PixelBudget, OptionsAreReadByTheirNames) {
  const Value table =
      Value::Table{{"mask", "unsaturated"}, {"mask_margin", 0.1}, {"pixel_radii", "random"}, {"decoy", "noise"}};
  const PixelBudget all{
      .mask = Mask::unsaturated, .mask_margin = 0.1, .pixel_radii = PixelRadii::random, .decoy = Decoy::noise};
  EXPECT_EQ(pixel_budget_schema().read(table, "test"), all);
  EXPECT_FALSE(all.plain());
  EXPECT_TRUE(PixelBudget{}.plain());
  EXPECT_NO_THROW(validate(all, Norm::linf, "test"));
}

TEST(PixelBudget, WhatCannotBeIsNamed) {
  const auto error_of = [](const PixelBudget& budget, Norm norm) -> std::string {
    try {
      validate(budget, norm, "here");
    } catch (const Misuse& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(error_of({.decoy = Decoy::noise}, Norm::linf),
            "[here] decoy = \"noise\" is for pixels that a mask holds: mask must be \"unsaturated\", got \"none\"");
  EXPECT_EQ(error_of({.mask = Mask::unsaturated, .decoy = Decoy::noise}, Norm::l2),
            "[here] decoy = \"noise\" exists for linf only, since it would use up the attack's radius in l2");
  EXPECT_EQ(error_of({.pixel_radii = PixelRadii::random}, Norm::l1),
            "[here] pixel_radii = \"random\" exists for linf only, since pixels have no radius of their own in l1");
  EXPECT_EQ(error_of({.mask = Mask::unsaturated, .mask_margin = 0.5}, Norm::linf),
            "[here] mask_margin must be a number from 0 to below 0.5, got 0.5");
  for (const NormEntry& entry : norms()) {
    EXPECT_EQ(error_of({.mask = Mask::unsaturated}, entry.norm), "accepted") << entry.name;
  }
  EXPECT_THAT(
      [] {
        (void)pixel_budget_schema().read(Value::Table{{"mask_margin", 0.1}}, "here");
      },
      testing::ThrowsMessage<Misuse>(testing::HasSubstr("mask_margin is not read here: there is no mask")));
}

TEST(PixelBudget, ANameSaysInWhatItDiffers) {
  EXPECT_EQ(name_ending({}), "");
  EXPECT_EQ(name_ending({.mask = Mask::unsaturated}), "_unsaturated");
  EXPECT_EQ(name_ending({.pixel_radii = PixelRadii::random}), "_random_radii");
  EXPECT_EQ(name_ending({.mask = Mask::unsaturated, .pixel_radii = PixelRadii::random, .decoy = Decoy::noise}),
            "_unsaturated_random_radii_decoy");
}

}  // namespace
}  // namespace vaeguard::attacks
