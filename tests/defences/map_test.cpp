// MAP: the mode of the linear VAE, every observation model and optimiser in any batch, what its inference holds, bad
// options.
#include "vaeguard/defences/map.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "tests/defences/fixtures.h"
#include "tests/expect_misuse.h"
#include "vaeguard/defences/channel_observation.h"
#include "vaeguard/defences/gaussian_observation.h"
#include "vaeguard/defences/minimum_observation.h"
#include "vaeguard/models/linear_vae.h"

namespace vaeguard::defences {
namespace {

std::vector<MapOptions> every_kind() {
  std::vector<MapOptions> result;
  for (const Optimiser optimiser : {Optimiser::adam, Optimiser::lbfgs}) {
    for (const ObservationModel& observation :
         {ObservationModel(), ObservationModel(MinimumObservation{}),
          ObservationModel(MinimumObservation{.radius = {0.1}}), ObservationModel(MinimumObservation{Norm::l2, {0.5}}),
          ObservationModel(ChannelObservation{}), ObservationModel(ChannelObservation{.radius = {0.1}}),
          ObservationModel(GaussianObservation{}),
          ObservationModel(GaussianObservation{.centre = NoiseCentre::mean})}) {
      result.push_back({.optimiser = optimiser, .gradients = 15, .learning_rate = 0.15, .observation = observation});
    }
  }
  result.push_back({.gradients = 15, .starts = 3, .start_gradients = 5});
  return result;
}

TEST(Map, EndsAtTheMeanOfTheLinearVaesPosterior) {
  const auto oracle = models::LinearVae::random(Key(2), 12, 4, 0.4, 0.05);
  const models::Vae vae(oracle.weights({.mean_error = 0.5}, Key(3)));
  const Matrix images = level_images(20, 12);
  for (const Optimiser optimiser : {Optimiser::adam, Optimiser::lbfgs}) {
    const auto defence = make_map({.optimiser = optimiser, .gradients = 300});
    const Inference inference = defence->infer(vae, images, make_keys(20), 2, silent_observer());
    for (std::int64_t b = 0; b < 20; ++b) {
      const auto truth = oracle.posterior(images.row(b));
      for (std::int64_t d = 0; d < 4; ++d) {
        EXPECT_NEAR(inference.mean(b, d), truth.mean[static_cast<std::size_t>(d)], 2e-3);
      }
    }
  }
}

TEST(Map, LowersTheEnergyAndFillsWhatItsObservationModelHas) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(20);
  for (const MapOptions& options : every_kind()) {
    const Inference inference = make_map(options)->infer(vae, images, make_keys(20), 1, silent_observer());
    const bool exact = options.observation.name() == "exact";
    EXPECT_EQ(inference.draw, inference.mean);
    EXPECT_EQ(inference.mean.columns(), kSmallLatents);
    EXPECT_EQ(inference.mean_reconstruction, vae.decode(inference.mean));
    EXPECT_EQ(inference.reencoded.rows(), exact ? 0 : 20);
    EXPECT_EQ(inference.radius, options.observation.pose(vae, images).radii);
    EXPECT_TRUE(inference.draws.empty());
    ASSERT_EQ(inference.energy_drop.size(), 20U);
    const double mean_drop = std::accumulate(inference.energy_drop.begin(), inference.energy_drop.end(), 0.0) / 20.0;
    EXPECT_GT(mean_drop, 0.1);
    if (options.optimiser == Optimiser::adam) {
      EXPECT_EQ(inference.gradients, options.starts > 1 ? 15.0 + 3.0 * 6.0 : 15.0);
    } else {
      EXPECT_LE(inference.gradients, 15.0 + 20.0);  // a line search more
      EXPECT_GE(*std::ranges::min_element(inference.energy_drop), 0.0);
    }
  }
}

TEST(Map, GivesEachImageTheSameResultInAnyBatchOrderAndNumberOfThreads) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(23);
  const auto keys = make_keys(23);
  const auto order = permutation(Key(9), 23);
  std::vector<Key> ordered_keys;
  std::ranges::transform(order, std::back_inserter(ordered_keys),
                         [&](std::int64_t row) { return keys[static_cast<std::size_t>(row)]; });
  for (const MapOptions& options : every_kind()) {
    const auto defence = make_map(options);
    const Inference whole = defence->infer(vae, images, keys, 2, silent_observer());
    EXPECT_EQ(defence->infer(vae, images, keys, 1, silent_observer()).mean, whole.mean);
    EXPECT_EQ(defence->infer(vae, images.gather(order), ordered_keys, 1, silent_observer()).mean,
              whole.mean.gather(order));
    for (const std::int64_t row : {22, 3}) {
      const Inference alone = defence->infer(
          vae, images.slice(row, 1), std::span(keys).subspan(static_cast<std::size_t>(row), 1), 1, silent_observer());
      EXPECT_EQ(alone.mean, whole.mean.slice(row, 1));
      EXPECT_EQ(alone.energy_drop[0], whole.energy_drop[static_cast<std::size_t>(row)]);
      if (!whole.reencoded.empty()) {
        EXPECT_EQ(alone.reencoded, whole.reencoded.slice(row, 1));
      }
      ASSERT_EQ(alone.radius.empty(), whole.radius.empty());
      if (!whole.radius.empty()) {
        EXPECT_EQ(alone.radius[0], whole.radius[static_cast<std::size_t>(row)]);
      }
    }
  }
}

TEST(Map, BadOptionsAreRefusedByName) {
  expect_misuse([] { make_map({.gradients = 0}); },
                {"[defences.map] gradients must be a whole number of at least 1, got 0"});
  for (const double rate : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    expect_misuse([&] { make_map({.learning_rate = rate}); },
                  {"[defences.map] learning_rate must be a number above 0, got"});
  }
  expect_misuse([] { make_map({.starts = 0}); }, {"[defences.map] starts must be a whole number of at least 1, got 0"});
  expect_misuse([] { make_map({.observation = MinimumObservation{.radius = {-1.0}}}); }, {"[defences.map] radius"});
  const models::Vae vae(small_weights());
  expect_misuse(
      [&] { static_cast<void>(make_map({})->infer(vae, level_images(2), make_keys(1), 1, silent_observer())); },
      {"[defences.map] keys must number 2"});
}

TEST(Map, StopsWhenInterrupted) {
  const models::Vae vae(small_weights());
  Impatient impatient;
  EXPECT_THROW(static_cast<void>(make_map({})->infer(vae, level_images(2), make_keys(2), 2, impatient)), Interrupted);
}

}  // namespace
}  // namespace vaeguard::defences
