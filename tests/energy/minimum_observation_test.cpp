// The best image of a ball: against search, against a dual bound, and the guarantee that it gives the true code.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/energy/observation_fixtures.h"
#include "tests/expect_misuse.h"
#include "tests/networks/random_graph.h"
#include "vaeguard/energy/observation.h"
#include "vaeguard/energy/posterior.h"

namespace vaeguard::energy {
namespace {

using models::Likelihood;

constexpr Norm kNorms[] = {Norm::linf, Norm::l2};

/// The least value of a convex function on [low, high].
template <typename Function>
double least(const Function& function, double low, double high) {
  for (int i = 0; i < 100; ++i) {
    const double a = low + (high - low) / 3.0;
    const double b = high - (high - low) / 3.0;
    (function(a) < function(b) ? high : low) = function(a) < function(b) ? b : a;
  }
  return function(0.5 * (low + high));
}

/// In L-infinity pixels do not know of each other: search each interval.
double searched_box(const Likelihood& likelihood, double radius, std::span<const float> image,
                    std::span<const float> outputs) {
  double sum = 0.0;
  for (std::size_t i = 0; i < image.size(); ++i) {
    sum += least([&](double x) { return pixel_energy(likelihood, x, outputs[i]); }, std::max(0.0, image[i] - radius),
                 std::min(1.0, image[i] + radius));
  }
  return sum;
}

/// In L2: the largest over multipliers w >= 0 of min over x' in [0, 1]^n of -log p(x') + w (|x' - x|^2 - r^2). No image
/// of the ball scores less than this at any w, and since the problem is convex the largest is the minimum.
double dual_bound(const Likelihood& likelihood, double radius, std::span<const float> image,
                  std::span<const float> outputs) {
  const auto negative_dual = [&](double log_w) {
    const double w = std::exp(log_w);
    double sum = w * radius * radius;
    for (std::size_t i = 0; i < image.size(); ++i) {
      sum -= least([&](double x) { return pixel_energy(likelihood, x, outputs[i]) + w * std::pow(x - image[i], 2); },
                   0.0, 1.0);
    }
    return sum;
  };
  // Unimodal in log w; from multipliers of no weight to ones that hold every pixel.
  return -least(negative_dual, std::log(1e-9), std::log(1e6));
}

struct Case {
  Matrix image;
  std::vector<float> outputs;
  std::vector<float> best;
  double energy = 0.0;
};

Case solve(const Likelihood& likelihood, Norm norm, double radius, std::int64_t pixels, std::uint64_t seed) {
  Case result{mixed_images(Key(seed).fold("image"), 1, pixels),
              random_outputs(Key(seed).fold("outputs"), likelihood, static_cast<std::size_t>(pixels)),
              std::vector<float>(static_cast<std::size_t>(pixels)), 0.0};
  best_image(likelihood, norm, radius, result.image.row(0), result.outputs, result.best);
  for (std::size_t i = 0; i < result.best.size(); ++i) {
    result.energy += pixel_energy(likelihood, result.best[i], result.outputs[i]);
  }
  return result;
}

TEST(MinimumObservation, TheBestImageLiesInBallAndRange) {
  for (const Likelihood& likelihood : kLikelihoods) {
    for (const Norm norm : kNorms) {
      for (const double radius : {0.0, 1e-4, 0.05, 0.3, 1.0, 40.0}) {
        for (std::uint64_t seed = 0; seed < 5; ++seed) {
          const Case found = solve(likelihood, norm, radius, 50, seed);
          EXPECT_TRUE(within(norm, radius, found.best, found.image.row(0))) << likelihood.name() << " " << radius;
          EXPECT_GE(*std::ranges::min_element(found.best), 0.0F);
          EXPECT_LE(*std::ranges::max_element(found.best), 1.0F);
        }
      }
    }
  }
}

TEST(MinimumObservation, InLinfItIsAsGoodAsASearchOfEachPixel) {
  for (const Likelihood& likelihood : kLikelihoods) {
    for (const double radius : {1e-3, 0.05, 0.3, 1.0}) {
      for (std::uint64_t seed = 0; seed < 5; ++seed) {
        const Case found = solve(likelihood, Norm::linf, radius, 40, seed);
        // A pixel off by a rounding of 1.2e-7 costs that times a slope of at most 10, and there are 40.
        EXPECT_NEAR(found.energy, searched_box(likelihood, radius, found.image.row(0), found.outputs), 5e-5)
            << likelihood.name() << " " << radius;
      }
    }
  }
}

TEST(MinimumObservation, InL2ItReachesTheBoundOfTheDualProblem) {
  for (const Likelihood& likelihood : kLikelihoods) {
    for (const double radius : {0.01, 0.3, 1.0, 2.0}) {
      for (std::uint64_t seed = 0; seed < 2; ++seed) {
        const Case found = solve(likelihood, Norm::l2, radius, 12, seed);
        // Roundings as above; the search leaves less.
        EXPECT_NEAR(found.energy, dual_bound(likelihood, radius, found.image.row(0), found.outputs), 2e-5)
            << likelihood.name() << " " << radius;
      }
    }
  }
}

TEST(MinimumObservation, AtRadiusZeroItIsTheExactOneBitForBit) {
  for (const Likelihood& likelihood : kLikelihoods) {
    const Matrix images = mixed_images(Key(1), 3, 30);
    const auto exact = exact_observation(likelihood, images);
    for (const Norm norm : kNorms) {
      const auto minimum = minimum_observation(likelihood, images, norm, {0.0, 0.0, 0.0});
      for (std::int64_t b = 0; b < 3; ++b) {
        const auto outputs = random_outputs(Key(2).fold(static_cast<std::uint64_t>(b)), likelihood, 30);
        std::vector<float> expected(30);
        std::vector<float> found(30);
        EXPECT_EQ(minimum->negative_log(b, outputs, found), exact->negative_log(b, outputs, expected));
        EXPECT_EQ(found, expected);
      }
    }
  }
}

// What a rounding of each pixel to float, by at most 1.2e-7, can add to the energy; in L2 the radius, too, is met to
// such roundings only.
double rounding(const Likelihood& likelihood, std::span<const float> image, std::span<const float> outputs) {
  const double variance = models::variance_of(likelihood);
  double slopes = 0.0;
  for (std::size_t i = 0; i < image.size(); ++i) {
    slopes += likelihood.name() == "bernoulli"  ? std::abs(outputs[i])
              : likelihood.name() == "gaussian" ? (std::abs(outputs[i] - image[i]) + 1.0) / variance
                                                : 1.0 / std::sqrt(0.5 * variance);
  }
  return 4.0 * 1.2e-7 * slopes;
}

/// A point of the ball around a reference, in [0, 1]: each coordinate by a sign (as attacks do) or any amount.
std::vector<float> attacked(Norm norm, double radius, std::span<const float> reference, bool signs, Key key) {
  std::vector<float> step(reference.size());
  fill_uniform(key, -1.0F, 1.0F, step);
  double squares = 0.0;
  for (float& s : step) {
    s = signs ? std::copysign(1.0F, s) : s;
    squares += static_cast<double>(s) * s;
  }
  const double length = norm == Norm::linf ? 1.0 : std::sqrt(squares);
  std::vector<float> result(reference.begin(), reference.end());
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = static_cast<float>(std::clamp(result[i] + radius * step[i] / length, 0.0, 1.0));
  }
  return result;
}

models::VaeWeights vae_with_decoder(networks::LayerGraph decoder, const Likelihood& likelihood) {
  const std::int64_t latents = decoder.input_size();
  decoder.add(networks::Operation::reshape, {.shape = {decoder.output_size(), 1, 1}});
  networks::LayerGraph encoder{.inputs = {decoder.output()}};
  encoder.add(networks::Operation::convolution, {.channels = 2 * latents});
  return {.architecture = "random", .encoder = encoder, .decoder = std::move(decoder), .likelihood = likelihood};
}

// The promise to the defended: whatever the attacker did within the ball, no code scores worse than it did on the
// reference; so the true code cannot be driven out.
TEST(MinimumObservation, NoCodeScoresWorseThanOnTheReferenceBeforeAnyAttackOfTheBall) {
  int compared = 0;
  for (std::uint64_t g = 0; g < 30; ++g) {
    for (const Likelihood& likelihood : kLikelihoods) {
      const models::Vae vae(vae_with_decoder(networks::random_graph(Key(700 + g), {.general = false}), likelihood),
                            "reference");
      const Key key = Key(9).fold(g);
      const std::int64_t pixels = vae.image().size();
      const Matrix reference = mixed_images(key.fold("reference"), 1, pixels);
      const PosteriorEnergy before(vae, reference);
      const Matrix latents = networks::random_matrix(key.fold("codes"), 1, vae.latent_size());
      const Matrix outputs = networks::forward_all(vae.layers()->decoder(), latents, 1);
      for (const Norm norm : kNorms) {
        for (const double radius : {0.02, 0.2, norm == Norm::linf ? 0.5 : 3.0}) {
          for (const bool signs : {false, true}) {
            const Matrix image(1, pixels, attacked(norm, radius, reference.row(0), signs, key.fold("attack")));
            const PosteriorEnergy after(vae, minimum_observation(likelihood, image, norm, {radius}));
            EXPECT_LE(values_of(after, latents, 1)[0],
                      values_of(before, latents, 1)[0] + rounding(likelihood, reference.row(0), outputs.row(0)))
                << likelihood.name() << ", graph " << g << ", radius " << radius;
            ++compared;
          }
        }
      }
    }
  }
  EXPECT_EQ(compared, 30 * 3 * 2 * 3 * 2);
}

TEST(MinimumObservation, ALargerBallNeverScoresWorse) {
  for (const Likelihood& likelihood : kLikelihoods) {
    for (const Norm norm : kNorms) {
      double last = std::numeric_limits<double>::infinity();
      for (const double radius : {0.0, 0.01, 0.05, 0.1, 0.3, 1.0, 5.0, 30.0}) {
        const double energy = solve(likelihood, norm, radius, 100, 4).energy;
        EXPECT_LE(energy, last + 1e-4) << likelihood.name() << " " << radius;
        last = energy;
      }
    }
  }
}

TEST(MinimumObservation, ItsGradientIsTheOrdinaryOneAtTheBestImage) {
  for (const Likelihood& likelihood : kLikelihoods) {
    for (const Norm norm : kNorms) {
      const Case at = solve(likelihood, norm, 0.3, 60, 5);
      const auto observation = minimum_observation(likelihood, at.image, norm, {0.3});
      std::vector<float> expected(60);
      std::vector<float> found(60);
      std::vector<float> alone(60);
      EXPECT_EQ(observation->negative_log(0, at.outputs, found),
                likelihood.negative_log(at.best, at.outputs, expected));
      observation->gradient(0, at.outputs, alone);
      EXPECT_EQ(found, expected);
      EXPECT_EQ(alone, expected);
      std::vector<float> image(60);
      observation->true_image(0, at.outputs, image);
      EXPECT_EQ(image, at.best);
    }
  }
}

// Danskin's theorem: the gradient at the fixed best image is that of the minimum, in which the best image moves.
TEST(MinimumObservation, ItsGradientAgreesWithFiniteDifferences) {
  constexpr double kStep = 0x1p-8;
  for (const Likelihood& likelihood : kLikelihoods) {
    for (const Norm norm : kNorms) {
      Case at = solve(likelihood, norm, 0.2, 60, 6);
      const auto observation = minimum_observation(likelihood, at.image, norm, {0.2});
      std::vector<float> gradient(60);
      static_cast<void>(observation->negative_log(0, at.outputs, gradient));
      int differ = 0;
      for (std::size_t i = 0; i < at.outputs.size(); ++i) {
        const float here = at.outputs[i];
        at.outputs[i] = here + static_cast<float>(kStep);
        const double above = observation->negative_log(0, at.outputs, {});
        at.outputs[i] = here - static_cast<float>(kStep);
        const double below = observation->negative_log(0, at.outputs, {});
        at.outputs[i] = here;
        // 60 pixels' roundings of 6e-8 with random signs, times slopes up to 5, over 2 h: 3e-4. Second derivatives jump
        // where a pixel leaves the ball's edge or the range, by 1 / variance = 5, which shows as 5 h / 2 at worst:
        // 0.01. First ones jump where a logit changes sign and where a Laplace mean meets its pixel.
        differ += std::abs(gradient[i] - (above - below) / (2.0 * kStep)) > 0.011 ? 1 : 0;
      }
      EXPECT_LE(differ, 2) << likelihood.name() << " of 60, norm " << static_cast<int>(norm);
    }
  }
}

TEST(MinimumObservation, EachImageHasItsOwnRadius) {
  const Likelihood& likelihood = kLikelihoods[0];
  const Matrix image = mixed_images(Key(7), 1, 20);
  const auto observation = minimum_observation(likelihood, repeat_rows(image, 2), Norm::linf, {0.1, 0.3});
  EXPECT_EQ(observation->size(), 2);
  const auto outputs = random_outputs(Key(8), likelihood, 20);
  for (std::int64_t b = 0; b < 2; ++b) {
    std::vector<float> found(20);
    std::vector<float> expected(20);
    observation->true_image(b, outputs, found);
    best_image(likelihood, Norm::linf, b == 0 ? 0.1 : 0.3, image.row(0), outputs, expected);
    EXPECT_EQ(found, expected);
  }
}

TEST(MinimumObservation, OutputsThatAreNoNumbersGiveNoFiniteEnergy) {
  for (const Likelihood& likelihood : kLikelihoods) {
    for (const Norm norm : kNorms) {
      const auto observation = minimum_observation(likelihood, mixed_images(Key(7), 1, 20), norm, {0.1});
      for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        auto outputs = random_outputs(Key(8), likelihood, 20);
        outputs[3] = bad;
        EXPECT_FALSE(std::isfinite(observation->negative_log(0, outputs, {}))) << likelihood.name() << " " << bad;
      }
    }
  }
}

TEST(MinimumObservation, PixelsOutsideTheRangeEndInIt) {
  const Matrix image(1, 4, std::vector<float>{-0.5F, 1.5F, -3.0F, 3.0F});
  const std::vector<float> outputs{0.3F, -0.3F, 0.7F, 0.2F};
  for (const Likelihood& likelihood : kLikelihoods) {
    std::vector<float> best(4);
    best_image(likelihood, Norm::linf, 0.1, image.row(0), outputs, best);
    EXPECT_EQ(best, (std::vector<float>{0, 1, 0, 1})) << likelihood.name();
  }
}

TEST(MinimumObservation, BadImagesAndRadiiAreRefused) {
  const auto make = [](Matrix images, std::vector<double> radii) {
    return minimum_observation(kLikelihoods[0], std::move(images), Norm::linf, std::move(radii));
  };
  expect_misuse([] { minimum_observation(kLikelihoods[0], Matrix(1, 3), Norm::l1, {0.1}); },
                {"[energy.observation] the norm must be linf or l2, got l1"});
  expect_misuse([&] { make(Matrix(2, 3), {0.1}); }, {"[energy.observation] radii must number 2, one an image, got 1"});
  expect_misuse([&] { make(Matrix(1, 3), {-0.1}); }, {"radius must be finite and >= 0, got -0.1"});
  expect_misuse([&] { make(Matrix(1, 3), {std::nan("")}); }, {"radius must be finite and >= 0, got nan"});
  expect_misuse([&] { make(Matrix(1, 3, std::nanf("")), {0.1}); }, {"[energy.observation] images"});
  expect_misuse([] { minimum_observation(models::clamped_bernoulli(), Matrix(1, 3), Norm::linf, {0.1}); },
                {"needs a likelihood of more than published runs, got clamped_bernoulli"});
}

}  // namespace
}  // namespace vaeguard::energy
