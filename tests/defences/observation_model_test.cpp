// Observation models: which energy each poses, and what all of them promise.
#include "vaeguard/defences/observation_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/base/choice_contract.h"
#include "tests/defences/fixtures.h"
#include "tests/expect_misuse.h"
#include "vaeguard/defences/channel_observation.h"
#include "vaeguard/defences/gaussian_observation.h"
#include "vaeguard/defences/minimum_observation.h"
#include "vaeguard/energy/posterior.h"

namespace vaeguard::defences {
namespace {

constexpr double kRadius = 26.0 / 255.0;

Matrix random_latents(std::int64_t count) { return networks::random_matrix(Key(6), count, kSmallLatents); }

std::vector<double> energies(const PosteriorProblem& problem, const Matrix& latents) {
  return values_of(*problem.energy, latents, 1);
}

/// Every entry as it is, and with a radius where it has one.
std::vector<ObservationModel> every_model() { return every_choice(observation_models(), {{"radius", kRadius}}); }

TEST(ObservationModel, EveryEntryIsAChoiceWithTheOptionsThatItLists) {
  expect_choices(observation_models(), observation_schema(), "observation model");
  for (const ObservationModelEntry& entry : observation_models()) {
    EXPECT_NO_THROW(entry.usual.validate()) << entry.name;
    EXPECT_FALSE(entry.usual.knows_radius()) << entry.name;
  }
}

TEST(ObservationModel, WhatLooksForTracesReadsUnderGaussianNoiseWhereTheLawHasNothingToHoldOnTo) {
  const Matrix images = level_images(4);
  const Matrix latents = random_latents(4);
  const std::vector<ObservationModel> looking{ChannelObservation{}, ChannelObservation{.directed = true},
                                              MinimumObservation{}};
  for (const double share : {0.05, 0.5}) {
    const models::Vae vae = with_certain_share(share);
    const auto gaussian = energies(GaussianObservation{}.pose(vae, images, {}), latents);
    for (const ObservationModel& model : looking) {
      const PosteriorProblem problem = model.pose(vae, images);
      EXPECT_EQ(energies(problem, latents) == gaussian, share < 0.1) << model.name();
      EXPECT_EQ(problem.radii.empty(), share < 0.1) << model.name();
    }
    EXPECT_NE(energies(ObservationModel(MinimumObservation{.radius = {kRadius}}).pose(vae, images), latents), gaussian);
  }
}

TEST(ObservationModel, EveryEnergyHasTheGradientOfItsValue) {
  const models::Vae vae(small_weights(), "reference");
  const Matrix images = level_images(4);
  constexpr double kStep = 1e-3;
  for (const ObservationModel& model : every_model()) {
    const PosteriorProblem problem = model.pose(vae, images);
    const Matrix latents = random_latents(4);
    std::vector<double> values(4);
    Matrix gradients(4, kSmallLatents);
    problem.energy->evaluate(consecutive(0, 4), latents, values, &gradients);
    for (std::int64_t d = 0; d < kSmallLatents; ++d) {
      Matrix up = latents;
      Matrix down = latents;
      for (std::int64_t b = 0; b < 4; ++b) {
        up(b, d) += static_cast<float>(kStep);
        down(b, d) -= static_cast<float>(kStep);
      }
      const auto above = energies(problem, up);
      const auto below = energies(problem, down);
      for (std::int64_t b = 0; b < 4; ++b) {
        const auto at = static_cast<std::size_t>(b);
        const double slope = (above[at] - below[at]) / (static_cast<double>(up(b, d)) - down(b, d));
        EXPECT_NEAR(gradients(b, d), slope, 0.02 * (1.0 + std::abs(slope))) << model.name();
      }
    }
  }
}

TEST(ObservationModel, EachImageHasItsEnergyInAnyBatchWithCopiesAndOnAnyThreads) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(9);
  const Matrix latents = random_latents(9);
  for (const ObservationModel& model : every_model()) {
    const PosteriorProblem whole = model.pose(vae, images, {.threads = 2});
    const auto expected = energies(whole, latents);
    const PosteriorProblem copied = model.pose(vae, images, {.threads = 1, .copies = 3});
    EXPECT_EQ(copied.images, repeat_rows(whole.images, 3)) << model.name();
    EXPECT_EQ(copied.radii, repeated(whole.radii, 3)) << model.name();
    EXPECT_EQ(copied.touched, repeated(whole.touched, 3)) << model.name();
    EXPECT_EQ(energies(copied, repeat_rows(latents, 3)), repeated(expected, 3)) << model.name();
    for (std::int64_t b = 0; b < 9; ++b) {
      const PosteriorProblem alone = model.pose(vae, images.slice(b, 1));
      EXPECT_EQ(alone.images, whole.images.slice(b, 1)) << model.name();
      EXPECT_EQ(energies(alone, latents.slice(b, 1)).front(), expected[static_cast<std::size_t>(b)]) << model.name();
    }
  }
}

TEST(ObservationModel, ImagesThatDoNotFitOrAreNotFiniteAreRefused) {
  const models::Vae vae(small_weights());
  for (const ObservationModel& model : every_model()) {
    Matrix images = level_images(2);
    EXPECT_THROW(static_cast<void>(model.pose(vae, Matrix(2, kSmallPixels - 1))), Misuse) << model.name();
    images(1, 3) = std::numeric_limits<float>::quiet_NaN();
    EXPECT_THROW(static_cast<void>(model.pose(vae, images)), Misuse) << model.name();
  }
}

TEST(ObservationModel, OnlyTheOneThatIsToldHearsTheAttacksRadius) {
  const ObservationModel waits = MinimumObservation{.radius = {.of_attack = true}};
  EXPECT_TRUE(waits.knows_radius());
  EXPECT_EQ(waits.told(0.125).values().find("radius")->number(), 0.125);
  EXPECT_FALSE(waits.told(0.125).knows_radius());
  EXPECT_EQ(waits.told(0.0).values(), ObservationModel(MinimumObservation{}).values());
  for (const ObservationModel& model : every_model()) {
    EXPECT_EQ(model.told(0.125).values(), model.values()) << model.name();
  }
}

TEST(ExactObservation, IsTheOrdinaryPosteriorOfTheImagesThemselves) {
  const models::Vae vae = without_law();
  const Matrix images = level_images(5);
  const PosteriorProblem problem = ObservationModel().pose(vae, images, {.threads = 2});
  EXPECT_EQ(problem.images, images);
  EXPECT_EQ(problem.observation, nullptr);
  EXPECT_TRUE(problem.radii.empty());
  const Matrix latents = random_latents(5);
  EXPECT_EQ(energies(problem, latents), values_of(energy::PosteriorEnergy(vae, images), latents, 1));
}

TEST(MinimumObservation, OfAGivenBallNeedsNoLawAndRepairsNothing) {
  const models::Vae vae = without_law();
  const Matrix images = level_images(5);
  const Matrix latents = random_latents(5);
  for (const auto norm : {Norm::linf, Norm::l2}) {
    const PosteriorProblem problem = MinimumObservation{norm, {kRadius}}.pose(vae, images, {.threads = 2});
    EXPECT_EQ(problem.images, images);
    EXPECT_EQ(problem.radii, std::vector<double>(5, kRadius));
    const energy::PosteriorEnergy expected(
        vae, energy::minimum_observation(vae.likelihood(), images, norm, std::vector<double>(5, kRadius)));
    EXPECT_EQ(energies(problem, latents), values_of(expected, latents, 1));
  }
}

TEST(MinimumObservation, WithoutRadiusGetsThatOfTheRepairAndNoneWhereMostPixelsAreUntouched) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(12);
  const PosteriorProblem problem = MinimumObservation{}.pose(vae, images, {});
  const Repaired repaired = repair(vae, images, {}, 8, 1);
  EXPECT_EQ(problem.images, repaired.images);
  for (std::size_t b = 0; b < 12; ++b) {
    const energy::Channel& channel = repaired.channels[b];
    EXPECT_EQ(problem.radii[b], channel.untouched > 0.5 ? 0.0 : channel.radius);
  }
  const Matrix latents = random_latents(12);
  const energy::PosteriorEnergy expected(
      vae, energy::minimum_observation(vae.likelihood(), images, Norm::linf, problem.radii));
  EXPECT_EQ(energies(problem, latents), values_of(expected, latents, 1));
}

TEST(MinimumObservation, BadOptionsAreRefusedByName) {
  const auto refuse = [](const MinimumObservation& model, const std::string& text) {
    expect_misuse([&] { model.validate(); }, {"[defences.minimum_observation] " + text});
  };
  refuse({.radius = {.given = -0.1}}, "radius must be a number from 0 to 1 or \"attack\", got -0.1");
  refuse({.radius = {.given = std::nan("")}}, "radius must be a number from 0 to 1 or \"attack\", got nan");
  refuse({.radius = {.largest = 0.0}}, "largest_radius must be a number above 0 up to 1, got 0");
  refuse({.norm = Norm::l2}, "the norm l2 needs a radius");
  refuse({.norm = Norm::l2, .radius = {.of_attack = true}}, "the norm l2 needs a radius");
  EXPECT_NO_THROW((MinimumObservation{Norm::l2, {0.1}}.validate()));
}

TEST(ChannelObservation, IsThatOfTheRepair) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(6);
  const Matrix latents = random_latents(6);
  for (const double radius : {0.0, kRadius}) {
    const PosteriorProblem problem = ChannelObservation{{radius}}.pose(vae, images, {});
    const Repaired repaired = repair(vae, images, {{radius}}, 8, 1);
    EXPECT_EQ(problem.images, repaired.images);
    const auto model = std::make_shared<const energy::ChannelModel>(*vae.layers()->weights().pixel_law);
    const energy::PosteriorEnergy expected(vae, energy::channel_observation(model, images, repaired.channels));
    EXPECT_EQ(energies(problem, latents), values_of(expected, latents, 1));
    for (std::size_t b = 0; b < 6 && radius > 0.0; ++b) {
      EXPECT_EQ(problem.radii[b], radius);
      EXPECT_EQ(repaired.channels[b].radius, radius);
    }
  }
}

TEST(ChannelObservation, NeedsAPixelLawAsABallWithoutRadiusDoes) {
  const models::Vae vae = without_law();
  const Matrix images = level_images(2);
  for (const ObservationModel& model :
       {ObservationModel(ChannelObservation{}), ObservationModel(MinimumObservation{})}) {
    expect_misuse([&] { static_cast<void>(model.pose(vae, images)); },
                  {"the model must have a pixel law, it has none", "vaeguard train"});
  }
}

TEST(ExpectedImages, AreTheObservationsForTheDecodersOutputs) {
  const models::Vae vae(small_weights());
  const PosteriorProblem problem = ChannelObservation{}.pose(vae, level_images(5), {});
  const Matrix latents = random_latents(2);
  const Matrix found = expected_images(vae, *problem.observation, 3, latents);
  const Matrix outputs = networks::forward_all(vae.layers()->decoder(), latents, 1);
  for (std::int64_t b = 0; b < 2; ++b) {
    std::vector<float> expected(kSmallPixels);
    problem.observation->true_image(3 + b, outputs.row(b), expected);
    EXPECT_TRUE(std::ranges::equal(found.row(b), expected));
  }
}

}  // namespace
}  // namespace vaeguard::defences
