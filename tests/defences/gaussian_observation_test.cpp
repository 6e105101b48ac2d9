// Images under Gaussian noise: which energy is posed, the closed forms of the linear VAE, and how far an attack gets.
#include "vaeguard/defences/gaussian_observation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "tests/defences/fixtures.h"
#include "tests/expect_misuse.h"
#include "vaeguard/defences/map.h"
#include "vaeguard/defences/noise_repair.h"
#include "vaeguard/defences/registry.h"
#include "vaeguard/energy/posterior.h"
#include "vaeguard/models/linear_vae.h"

namespace vaeguard::defences {
namespace {

constexpr std::int64_t kLinearPixels = 12;
constexpr std::int64_t kLinearLatents = 4;
constexpr double kScale = 0.3;

/// The linear VAE that was trained with variance 0.05, and the one whose likelihood is what its images are read with.
models::LinearVae trained() { return models::LinearVae::random(Key(2), kLinearPixels, kLinearLatents, 0.4, 0.05); }
models::LinearVae as_read() {
  return {trained().weight(), std::vector<float>(static_cast<std::size_t>(kLinearPixels), 0.5F), kScale * kScale};
}

double distance(std::span<const float> one, std::span<const float> other) {
  double squares = 0.0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    squares += std::pow(static_cast<double>(one[i]) - other[i], 2);
  }
  return std::sqrt(squares);
}

/// Modes of images by L-BFGS, from the means of an encoder that errs.
Inference modes(const models::LinearVae& oracle, const Matrix& images, double scale) {
  const models::Vae vae(oracle.weights({.mean_error = 0.5}, Key(3)));
  const auto defence =
      make_map({.optimiser = Optimiser::lbfgs, .gradients = 300, .observation = GaussianObservation{.scale = {scale}}});
  return defence->infer(vae, images, make_keys(images.rows()), 1, silent_observer());
}

TEST(GaussianObservationModel, ReadsThePixelLawWhereThereIsOneAndTheMeanImageElsewhere) {
  const Matrix images = level_images(5);
  const Matrix latents = networks::random_matrix(Key(6), 5, kSmallLatents);
  const std::vector<double> scales(5, kScale);
  const models::Vae with(small_weights());
  const models::Vae without = without_law();
  const auto energies = [&](const models::Vae& vae, NoiseCentre centre) {
    const GaussianObservation model{.scale = {kScale}, .centre = centre, .passes = 0};
    const PosteriorProblem problem = model.pose(vae, images, {.threads = 2});
    EXPECT_EQ(problem.images, images);
    EXPECT_TRUE(problem.radii.empty());
    EXPECT_TRUE(problem.touched.empty());
    return values_of(*problem.energy, latents, 1);
  };
  const auto law =
      values_of(energy::PosteriorEnergy(with, energy::law_observation(with.pixel_law(), images, scales)), latents, 1);
  const auto mean = values_of(
      energy::PosteriorEnergy(with, energy::gaussian_observation(with.likelihood(), images, scales)), latents, 1);
  EXPECT_EQ(energies(with, NoiseCentre::automatic), law);
  EXPECT_EQ(energies(with, NoiseCentre::law), law);
  EXPECT_EQ(energies(with, NoiseCentre::mean), mean);
  EXPECT_EQ(energies(without, NoiseCentre::automatic), mean);
  EXPECT_NE(law, mean);
  expect_misuse([&] { static_cast<void>(energies(without, NoiseCentre::law)); },
                {"[defences.gaussian_observation] the model must have a pixel law, it has none", "vaeguard train"});
}

TEST(GaussianObservationModel, IsToldTwiceTheAttacksRadiusButNoScaleBelowATenth) {
  const ObservationModel waits =
      GaussianObservation{.scale = {.source = NoiseScale::Source::attack}, .centre = NoiseCentre::mean};
  EXPECT_TRUE(waits.knows_radius());
  EXPECT_EQ(*waits.values().find("scale"), Value("attack"));
  const auto scale_told = [&](double radius) {
    const ObservationModel told = waits.told(radius);
    EXPECT_FALSE(told.knows_radius());
    EXPECT_EQ(*told.values().find("law"), Value("none"));
    return *told.values().find("scale")->number();
  };
  EXPECT_EQ(scale_told(0.125), 0.25);
  EXPECT_EQ(scale_told(0.01), 0.1);
  EXPECT_EQ(scale_told(0.0), 0.1);
  EXPECT_EQ(*ObservationModel(GaussianObservation{}).told(0.125).values().find("scale")->number(), 0.4);
}

TEST(GaussianObservationModel, ALawThatIsCertainOfNoPixelIsNotReadUnlessItIsAskedFor) {
  const Matrix images = level_images(4);
  const Matrix latents = networks::random_matrix(Key(6), 4, kSmallLatents);
  for (const double share : {0.0, 0.09, 0.11, 0.9}) {
    const models::Vae vae = with_certain_share(share);
    EXPECT_NEAR(models::certain_share(*vae.pixel_law()), share, 1e-12);
    const auto energies = [&](NoiseCentre centre) {
      return values_of(*GaussianObservation{.scale = {kScale}, .centre = centre}.pose(vae, images, {}).energy, latents,
                       1);
    };
    EXPECT_EQ(energies(NoiseCentre::automatic), energies(share < 0.1 ? NoiseCentre::mean : NoiseCentre::law)) << share;
    EXPECT_NE(energies(NoiseCentre::mean), energies(NoiseCentre::law));
  }
}

TEST(GaussianObservationModel, AFoundScaleGrowsWithTheNoiseWithinItsBounds) {
  const models::Vae vae(small_weights());
  const Matrix clean = level_images(6);
  const GaussianObservation model{.scale = {.source = NoiseScale::Source::found}};
  for (const float size : {0.0F, 0.1F, 0.3F, 1.0F}) {
    Matrix images = clean;
    Matrix signs(images.rows(), images.columns());
    fill_uniform(Key(31), -1.0F, 1.0F, signs.flat());
    for (std::size_t i = 0; i < images.flat().size(); ++i) {
      images.data()[i] = std::clamp(images.data()[i] + std::copysign(size, signs.data()[i]), 0.0F, 1.0F);
    }
    const PosteriorProblem problem = model.pose(vae, images, {});
    const NoiseRepaired repaired = repair_noise(vae, images, {.passes = model.passes}, 1);
    for (std::size_t b = 0; b < 6; ++b) {
      EXPECT_EQ(problem.noise[b], std::clamp(5.0 * repaired.noise[b], 0.3, 0.7));
    }
  }
  EXPECT_EQ(model.pose(without_law(), clean, {}).noise, std::vector<double>(6, 0.4));
}

TEST(GaussianObservationModel, TheStartIsTheImageOrItsRepairWhoseCodeHasTheLowerEnergy) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(12);
  const PosteriorProblem problem = GaussianObservation{.scale = {kScale}}.pose(vae, images, {});
  const Matrix repaired = repair_noise(vae, images, {.passes = 4}, 1).images;
  const auto energy_of = [&](const Matrix& some) { return values_of(*problem.energy, vae.encode(some).mean, 1); };
  const auto own = energy_of(images);
  const auto other = energy_of(repaired);
  int replaced = 0;
  for (std::int64_t b = 0; b < 12; ++b) {
    const auto i = static_cast<std::size_t>(b);
    const bool better = other[i] < own[i];
    EXPECT_EQ(problem.images.slice(b, 1), (better ? repaired : images).slice(b, 1));
    replaced += better ? 1 : 0;
  }
  EXPECT_GT(replaced, 0);
}

TEST(GaussianObservationModel, EveryCopyOfAnImageHasItsNoiseAndItsStart) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(5);
  const GaussianObservation model{.scale = {.source = NoiseScale::Source::found}};
  const PosteriorProblem once = model.pose(vae, images, {});
  const PosteriorProblem thrice = model.pose(vae, images, {.threads = 2, .copies = 3});
  EXPECT_EQ(thrice.images, repeat_rows(once.images, 3));
  EXPECT_EQ(thrice.noise, repeated(once.noise, 3));
}

TEST(GaussianObservationModel, BadOptionsAreRefusedByName) {
  for (const double scale : {0.0, -0.1, std::nan(""), std::numeric_limits<double>::infinity()}) {
    expect_misuse([&] { GaussianObservation{.scale = {scale}}.validate(); },
                  {"[defences.gaussian_observation] scale must be a number above 0 or \"attack\" or \"found\", got"});
  }
  Value table;
  table.set("law", "histogram");
  expect_misuse([&] { static_cast<void>(ObservationModel(GaussianObservation{}).with(table)); }, {"law", "histogram"});
}

TEST(GaussianObservationModel, TheEnergyOfTheLinearVaeIsThatOfItsOwnLikelihoodWithTheScaleOfTheReading) {
  const models::LinearVae oracle = trained();
  const models::LinearVae read = as_read();
  const models::Vae vae(oracle.weights());
  const Matrix images = level_images(5, kLinearPixels);
  const Matrix latents = networks::random_matrix(Key(7), 5, kLinearLatents);
  const auto found = values_of(*GaussianObservation{.scale = {kScale}}.pose(vae, images, {}).energy, latents, 1);
  for (std::int64_t b = 0; b < 5; ++b) {
    const std::vector<double> latent(latents.row(b).begin(), latents.row(b).end());
    const double expected = read.energy(images.row(b), latent, {});
    // Outputs of order 1 in float, times slopes of order 10.
    EXPECT_NEAR(found[static_cast<std::size_t>(b)], expected, 1e-5 * (1.0 + std::abs(expected)));
  }
}

TEST(GaussianObservationModel, MapReachesTheClosedFormOfTheLinearVaesMode) {
  const models::LinearVae oracle = trained();
  const models::LinearVae read = as_read();
  const models::Vae vae(oracle.weights({.mean_error = 0.5}, Key(3)));
  const Matrix images = level_images(20, kLinearPixels);
  for (const Optimiser optimiser : {Optimiser::adam, Optimiser::lbfgs}) {
    const auto defence =
        make_map({.optimiser = optimiser, .gradients = 300, .observation = GaussianObservation{.scale = {kScale}}});
    const Inference inference = defence->infer(vae, images, make_keys(20), 2, silent_observer());
    for (std::int64_t b = 0; b < 20; ++b) {
      const auto mode = read.posterior(images.row(b));
      for (std::int64_t d = 0; d < kLinearLatents; ++d) {
        EXPECT_NEAR(inference.mean(b, d), mode.mean[static_cast<std::size_t>(d)], 2e-3);
      }
    }
  }
}

// |z(x') - z(x)| <= |x' - x| / (2 s) and |m(z(x')) - m(z(x))| < |x' - x|, for perturbations of random pixels, of random
// signs, and along each column of W.
TEST(GaussianObservationModel, TheModeContractsReconstructionsAndBoundsCodesOfALinearDecoder) {
  const models::LinearVae oracle = trained();
  const Matrix reference = level_images(1, kLinearPixels);
  Matrix images = repeat_rows(reference, 20 + kLinearLatents);
  Matrix moves(images.rows(), kLinearPixels);
  fill_normal(Key(8), moves.flat());
  for (std::int64_t b = 0; b < images.rows(); ++b) {
    for (std::int64_t i = 0; i < kLinearPixels; ++i) {
      const float random = b < 10 ? 0.1F * moves(b, i) : std::copysign(0.1F, moves(b, i));
      images(b, i) += b < 20 ? random : oracle.weight()(i, b - 20);
    }
  }
  for (const double scale : {0.1, 0.4, 1.0}) {
    const Inference before = modes(oracle, reference, scale);
    const Inference after = modes(oracle, images, scale);
    for (std::int64_t b = 0; b < images.rows(); ++b) {
      const double moved = distance(images.row(b), reference.row(0));
      // An optimiser that stops at a gradient of 1e-5 of its point leaves about so much of the mode.
      EXPECT_LE(distance(after.mean.row(b), before.mean.row(0)), moved / (2.0 * scale) + 1e-3) << scale;
      EXPECT_LE(distance(after.mean_reconstruction.row(b), before.mean_reconstruction.row(0)), moved + 1e-3) << scale;
    }
  }
}

TEST(GaussianObservationModel, TheBoundOnCodesIsReachedAlongASingularValueThatIsTheScale) {
  Matrix weight(kLinearPixels, 1, static_cast<float>(kScale / std::sqrt(static_cast<double>(kLinearPixels))));
  const models::LinearVae oracle(weight, std::vector<float>(static_cast<std::size_t>(kLinearPixels), 0.5F), 0.05);
  Matrix images(2, kLinearPixels, 0.5F);
  std::ranges::fill(images.row(1), 0.6F);
  const double moved = distance(images.row(1), images.row(0));
  const Inference inference = modes(oracle, images, kScale);
  EXPECT_NEAR(distance(inference.mean.row(1), inference.mean.row(0)), moved / (2.0 * kScale), 1e-4);
  EXPECT_NEAR(distance(inference.mean_reconstruction.row(1), inference.mean_reconstruction.row(0)), 0.5 * moved, 1e-4);
}

TEST(GaussianObservationModel, ItsPresetsCostWhatTheySay) {
  const auto gradients = [](std::string_view name) {
    const Value nothing_said;
    OptionReader reader(nothing_said, "test");
    return prepare(defences().find(name), reader).gradients;
  };
  EXPECT_EQ(gradients("map_gaussian"), 40.0);
  EXPECT_EQ(gradients("hmc_gaussian"), gradients("hmc_short"));
}

}  // namespace
}  // namespace vaeguard::defences
