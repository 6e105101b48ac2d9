// Posterior sampling from every start and with every observation model.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/defences/fixtures.h"
#include "tests/expect_misuse.h"
#include "vaeguard/defences/channel_observation.h"
#include "vaeguard/defences/descent.h"
#include "vaeguard/defences/exact_observation.h"
#include "vaeguard/defences/gaussian_observation.h"
#include "vaeguard/defences/minimum_observation.h"
#include "vaeguard/defences/posterior_sampling.h"
#include "vaeguard/energy/posterior.h"

namespace vaeguard::defences {
namespace {

constexpr Start kStarts[] = {Start::draw, Start::mean, Start::prior, Start::map, Start::lowest};

// Of noise, small enough for 40 pixels to say more of a code than the prior does.
constexpr double kScale = 0.2;

std::vector<ObservationModel> every_observation() {
  return {ExactObservation{},
          MinimumObservation{},
          MinimumObservation{.radius = {0.1}},
          MinimumObservation{Norm::l2, {0.5}},
          ChannelObservation{},
          ChannelObservation{.radius = {0.1}},
          GaussianObservation{.scale = {kScale}, .passes = 0},
          GaussianObservation{.scale = {kScale}, .centre = NoiseCentre::mean}};
}

PosteriorSamplingOptions short_chain(Start start, const ObservationModel& observation) {
  PosteriorSamplingOptions options = default_hmc();
  options.start = start;
  options.observation = observation;
  options.start_gradients = 8;
  options.warmup = 3;
  options.transitions = 4;
  options.leapfrog_steps = 3;
  options.thin = 2;
  return options;
}

Inference infer(const models::Vae& vae, const Matrix& images, const PosteriorSamplingOptions& options) {
  return make_posterior_sampling(options)->infer(vae, images, make_keys(images.rows()), 1, silent_observer());
}

TEST(PosteriorObservation, GivesEachImageTheSameResultInAnyBatchOrderAndNumberOfThreads) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(20);
  const auto keys = make_keys(20);
  const auto order = permutation(Key(9), 20);
  std::vector<Key> shuffled_keys;
  for (const std::int64_t row : order) {
    shuffled_keys.push_back(keys[static_cast<std::size_t>(row)]);
  }
  for (const ObservationModel& observation : every_observation()) {
    for (const Start start : {Start::mean, Start::lowest}) {
      const auto defence = make_posterior_sampling(short_chain(start, observation));
      const Inference whole = defence->infer(vae, images, keys, 2, silent_observer());
      const Inference single = defence->infer(vae, images, keys, 1, silent_observer());
      EXPECT_EQ(single.draw, whole.draw);
      EXPECT_EQ(single.reencoded, whole.reencoded);
      const Inference shuffled = defence->infer(vae, images.gather(order), shuffled_keys, 1, silent_observer());
      EXPECT_EQ(shuffled.draw, whole.draw.gather(order));
      const Inference alone =
          defence->infer(vae, images.slice(17, 1), std::span(keys).subspan(17, 1), 1, silent_observer());
      EXPECT_EQ(alone.draw, whole.draw.slice(17, 1));
      EXPECT_EQ(alone.mean_reconstruction, whole.mean_reconstruction.slice(17, 1));
      EXPECT_EQ(alone.energy_drop[0], whole.energy_drop[17]);
      if (!whole.reencoded.empty()) {
        EXPECT_EQ(alone.reencoded, whole.reencoded.slice(17, 1));
      }
      ASSERT_EQ(alone.radius.empty(), whole.radius.empty());
      if (!whole.radius.empty()) {
        EXPECT_EQ(alone.radius[0], whole.radius[17]);
      }
    }
  }
}

TEST(PosteriorObservation, FillsWhatItsObservationModelHas) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(7);
  for (const ObservationModel& observation : every_observation()) {
    const Inference inference = infer(vae, images, short_chain(Start::mean, observation));
    const bool exact = observation.name() == "exact";
    EXPECT_EQ(inference.reencoded.rows(), exact ? 0 : 7);
    EXPECT_EQ(inference.radius, exact ? std::vector<double>{} : observation.pose(vae, images).radii);
    EXPECT_EQ(inference.draws.columns(), 2 * kSmallLatents);
    EXPECT_EQ(inference.draw.columns(), kSmallLatents);
    EXPECT_EQ(inference.mean_reconstruction.columns(), kSmallPixels);
  }
}

TEST(PosteriorObservation, TheReencodedCodeIsThatOfTheImageWhichTheKeptDrawsExpect) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(5);
  for (const ObservationModel& observation :
       {ObservationModel(MinimumObservation{.radius = {0.1}}), ObservationModel(ChannelObservation{.radius = {0.1}})}) {
    const Inference inference = infer(vae, images, short_chain(Start::mean, observation));
    const PosteriorProblem problem = observation.pose(vae, images);
    Matrix mean(5, kSmallPixels);
    for (std::int64_t k = 0; k < 2; ++k) {
      Matrix draw(5, kSmallLatents);
      for (std::int64_t b = 0; b < 5; ++b) {
        std::ranges::copy(inference.draws.row(b).subspan(static_cast<std::size_t>(k * kSmallLatents), kSmallLatents),
                          draw.row(b).begin());
      }
      const Matrix expected = expected_images(vae, *problem.observation, 0, draw);
      for (std::size_t i = 0; i < expected.values().size(); ++i) {
        mean.data()[i] += 0.5F * expected.values()[i];
      }
    }
    const Matrix expected = vae.encode(mean).mean;
    for (std::size_t i = 0; i < expected.values().size(); ++i) {
      EXPECT_NEAR(inference.reencoded.values()[i], expected.values()[i], 1e-5F);  // the halves are added otherwise
    }
  }
}

TEST(PosteriorObservation, EachStartIsWhatItsNameSays) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(6);
  for (const ObservationModel& observation : every_observation()) {
    const PosteriorProblem problem = observation.pose(vae, images);
    const Matrix mean = vae.encode(problem.images).mean;
    Matrix map = mean;
    descend_adam(*problem.energy, consecutive(0, map.rows()), {.gradients = 8}, map);
    std::vector<std::vector<double>> energies;
    for (const Start start : kStarts) {
      const Inference inference = infer(vae, images, short_chain(start, observation));
      const Matrix& at = inference.snapshots.front().latent;
      energies.push_back(values_of(*problem.energy, at, 1));
      EXPECT_TRUE(start != Start::mean || at == mean);
      EXPECT_TRUE(start != Start::prior || at == Matrix(6, kSmallLatents));
      EXPECT_TRUE(start != Start::map || at == map);
      EXPECT_TRUE(start != Start::draw || at != mean);
      const bool descends = start == Start::map || start == Start::lowest;
      EXPECT_EQ(inference.gradients, 1.0 + (descends ? 8.0 : 0.0) + 7.0 * 3.0);
      EXPECT_EQ(inference.snapshots.front().gradients, descends ? 9.0 : 1.0);
    }
    for (std::size_t b = 0; b < 6; ++b) {
      const double lowest = std::min({energies[0][b], energies[1][b], energies[2][b], energies[3][b]});
      EXPECT_EQ(energies[4][b], lowest);
    }
  }
}

TEST(PosteriorObservation, AStartThatOverflowsGivesWayToAFiniteOne) {
  models::VaeWeights weights = small_weights();
  const auto bias = weights.encoder.bias(weights.encoder.layers.front());
  bias.front() = 3e38F;  // decoded, the mean is infinite, or a difference of infinities
  const models::Vae vae(weights, "reference");
  const Inference inference = infer(vae, level_images(3), short_chain(Start::lowest, {}));
  EXPECT_EQ(inference.snapshots.front().latent, Matrix(3, kSmallLatents));
  for (const float z : inference.draw.values()) {
    EXPECT_TRUE(std::isfinite(z));
  }
}

TEST(PosteriorObservation, LowersTheEnergyFromTheEncodersCode) {
  const models::Vae vae(small_weights());
  for (const ObservationModel& observation : every_observation()) {
    PosteriorSamplingOptions options = short_chain(Start::mean, observation);
    options.warmup = 20;
    options.transitions = 10;
    const Inference inference = infer(vae, level_images(30), options);
    // A draw lies about 3 / 2 nats above the mode, and the code of an untrained encoder above that.
    EXPECT_GT(std::accumulate(inference.energy_drop.begin(), inference.energy_drop.end(), 0.0) / 30.0, 0.3);
  }
}

TEST(PosteriorObservation, BadOptionsAreRefusedByName) {
  const auto refuse = [](auto change, const std::string& text) {
    PosteriorSamplingOptions options = default_hmc();
    change(options);
    expect_misuse([&] { make_posterior_sampling(options); }, {text});
  };
  refuse(
      [](auto& o) {
        o.start = Start::map;
        o.start_gradients = 0;
      },
      "[defences.posterior_sampling] start_gradients must be a whole number of at least 1, got 0");
  refuse([](auto& o) { o.observation = MinimumObservation{.radius = {-1.0}}; },
         "[defences.posterior_sampling] radius must be a number from 0 to 1");
  refuse([](auto& o) { o.observation = ChannelObservation{.radius = {.largest = 2.0}}; },
         "[defences.posterior_sampling] largest_radius must be a number above 0 up to 1, got 2");
  refuse([](auto& o) { o.observation = MinimumObservation{.norm = Norm::l2}; },
         "[defences.minimum_observation] the norm l2 needs a radius");
}

TEST(PosteriorObservation, StopsWhenInterrupted) {
  const models::Vae vae(small_weights());
  for (const ObservationModel& observation : every_observation()) {
    Impatient impatient;
    EXPECT_THROW(static_cast<void>(make_posterior_sampling(short_chain(Start::lowest, observation))
                                       ->infer(vae, level_images(2), make_keys(2), 2, impatient)),
                 Interrupted);
  }
}

}  // namespace
}  // namespace vaeguard::defences
