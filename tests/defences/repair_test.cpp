// Repair as a defence: what its inference holds, options, interruption.
#include "vaeguard/defences/repair.h"

#include <gtest/gtest.h>

#include "tests/defences/fixtures.h"
#include "tests/expect_misuse.h"
#include "vaeguard/defences/map.h"

namespace vaeguard::defences {
namespace {

TEST(RepairDefence, InfersTheCodeOfTheRepairedImage) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(9);
  const auto keys = make_keys(9);
  const auto defence = make_repair({.passes = 3});
  EXPECT_EQ(defence->name(), "repair");
  const Inference inference = defence->infer(vae, images, keys, 2, silent_observer());
  const Repaired repaired = repair(vae, images, {}, 3, 1);
  EXPECT_EQ(inference.mean, repaired.encoding.mean);
  EXPECT_EQ(inference.mean, vae.encode(repaired.images).mean);
  EXPECT_EQ(inference.draw, vae.sample(repaired.images, vae.encode(repaired.images), keys));
  EXPECT_EQ(inference.mean_reconstruction, vae.decode(repaired.encoding.mean));
  EXPECT_EQ(inference.gradients, 0.0);
  ASSERT_EQ(inference.radius.size(), 9U);
  for (std::size_t b = 0; b < 9; ++b) {
    const energy::Channel& channel = repaired.channels[b];
    EXPECT_EQ(inference.radius[b], channel.untouched > 0.5 ? 0.0 : channel.radius);
    EXPECT_EQ(inference.touched[b], 1.0 - channel.untouched);
  }
  EXPECT_TRUE(inference.draws.empty());
  EXPECT_TRUE(inference.acceptance.empty());
}

TEST(RepairDefence, GivesEachImageTheSameResultInAnyBatchAndNumberOfThreads) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(23);
  const auto keys = make_keys(23);
  const auto defence = make_repair({});
  const Inference whole = defence->infer(vae, images, keys, 2, silent_observer());
  EXPECT_EQ(defence->infer(vae, images, keys, 1, silent_observer()).draw, whole.draw);
  for (const std::int64_t row : {0, 13, 22}) {
    const Inference alone = defence->infer(
        vae, images.slice(row, 1), std::span(keys).subspan(static_cast<std::size_t>(row), 1), 1, silent_observer());
    EXPECT_EQ(alone.draw, whole.draw.slice(row, 1));
    EXPECT_EQ(alone.mean_reconstruction, whole.mean_reconstruction.slice(row, 1));
  }
}

TEST(RepairDefence, IsGaussianMapWhereTheLawHasNothingToHoldOnTo) {
  const models::Vae vae = with_certain_share(0.05);
  const Matrix images = level_images(3);
  const auto keys = make_keys(3);
  const Inference repaired = make_repair({})->infer(vae, images, keys, 1, silent_observer());
  const Inference general = make_map(map_gaussian_options())->infer(vae, images, keys, 1, silent_observer());
  EXPECT_EQ(repaired.mean, general.mean);
  EXPECT_EQ(repaired.reencoded, general.reencoded);
  EXPECT_EQ(repaired.gradients, 40.0);
  EXPECT_TRUE(repaired.touched.empty());
}

TEST(RepairDefence, RefusesBadOptionsAndMissingKeysAndStopsWhenInterrupted) {
  expect_misuse([] { make_repair({.passes = -1}); },
                {"[defences.repair] passes must be a whole number of at least 0, got -1"});
  expect_misuse([] { make_repair({.observation = {.radius = {2.0}}}); },
                {"[defences.repair] radius must be a number from 0 to 1"});
  const models::Vae vae(small_weights());
  const auto infer = [&](std::int64_t keys, Observer& observer) {
    static_cast<void>(make_repair({})->infer(vae, level_images(2), make_keys(keys), 1, observer));
  };
  expect_misuse([&] { infer(1, silent_observer()); }, {"[defences.repair] keys must number 2"});
  Impatient impatient;
  EXPECT_THROW(infer(2, impatient), Interrupted);
}

}  // namespace
}  // namespace vaeguard::defences
