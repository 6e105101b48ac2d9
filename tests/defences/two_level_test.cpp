// Defences on a hierarchical model: the same for any batch, and nearer to the posterior than the encoder is.
#include "tests/two_level_vae.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "tests/defences/fixtures.h"
#include "vaeguard/defences/map.h"
#include "vaeguard/defences/posterior_sampling.h"
#include "vaeguard/defences/repair.h"

namespace vaeguard::defences {
namespace {

const models::Vae& vae() {
  static const models::Vae model =
      models::two_level_vae(std::make_shared<const models::PixelLaw>(models::made_up_law()));
  return model;
}

std::vector<std::unique_ptr<Defence>> some_defences() {
  std::vector<std::unique_ptr<Defence>> defences;
  defences.push_back(make_undefended());
  defences.push_back(make_repair({}));
  for (const ObservationModelEntry& entry : observation_models()) {
    Value radius;
    radius.set("radius", 0.1);
    const bool reads = entry.usual.why_unread("radius").empty();
    const MapOptions map{.gradients = 20, .observation = reads ? entry.usual.with(radius) : entry.usual};
    defences.push_back(make_map(map));
    PosteriorSamplingOptions hmc = short_hmc();
    hmc.observation = map.observation;
    defences.push_back(make_posterior_sampling(hmc));
  }
  return defences;
}

TEST(TwoLevels, EveryDefenceInfersItImageByImage) {
  const Matrix images = level_images(6);
  const auto keys = make_keys(6);
  for (const auto& defence : some_defences()) {
    const Inference all = defence->infer(vae(), images, keys, 2, silent_observer());
    EXPECT_EQ(all.mean.columns(), models::kFirst + models::kSecond) << defence->name();
    for (const float value : all.mean.values()) {
      EXPECT_TRUE(std::isfinite(value)) << defence->name();
    }
    const Inference alone =
        defence->infer(vae(), images.slice(4, 1), std::span(keys).subspan(4, 1), 1, silent_observer());
    EXPECT_EQ(alone.mean, all.mean.slice(4, 1)) << defence->name();
    EXPECT_EQ(alone.draw, all.draw.slice(4, 1)) << defence->name();
  }
}

TEST(TwoLevels, MapAndHmcLowerTheEnergy) {
  const Matrix images = level_images(6);
  for (const auto& defence : {make_map({}), make_posterior_sampling(default_hmc())}) {
    for (const double drop : defence->infer(vae(), images, make_keys(6), 2, silent_observer()).energy_drop) {
      EXPECT_GT(drop, 0.0) << defence->name();
    }
  }
}

}  // namespace
}  // namespace vaeguard::defences
