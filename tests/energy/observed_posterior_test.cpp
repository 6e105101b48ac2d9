// Posterior energies of images that are read through a ball, a channel or noise, against plain formulas in double.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numbers>
#include <vector>

#include "tests/energy/observation_fixtures.h"
#include "tests/models/made_up_law.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/energy/posterior.h"
#include "vaeguard/models/conv_vae.h"
#include "vaeguard/networks/reference/reference_network.h"

namespace vaeguard::energy {
namespace {

constexpr double kRadius = 0.1;
const Channel kChannel{26.0 / 255.0, 0.15, 0.15, 0.7};

models::VaeWeights random_vae(const models::Likelihood& likelihood) {
  models::VaeWeights weights = models::conv_vae({1, 28, 28}, likelihood, Key(11));
  for (const networks::Layer& layer : weights.decoder.layers) {
    fill_uniform(Key(12).fold(static_cast<std::uint64_t>(layer.bias_offset)), -0.5F, 0.5F, weights.decoder.bias(layer));
  }
  return weights;
}

Matrix random_latents(std::int64_t count) {
  Matrix latents(count, 64);
  fill_normal(Key(14), latents.flat());
  return latents;
}

double prior_energy(std::span<const float> latent) {
  double sum = static_cast<double>(latent.size()) * std::log(2.0 * std::numbers::pi);
  for (const float z : latent) {
    sum += static_cast<double>(z) * z;
  }
  return 0.5 * sum;
}

// The decoder in double, and where each pixel may go in the box.
double minimum_energy(const models::VaeWeights& vae, std::span<const float> image, std::span<const float> latent) {
  const std::vector<double> z(latent.begin(), latent.end());
  const auto outputs = networks::reference_forward(vae.decoder, z).back();
  double energy = prior_energy(latent);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const double low = std::max(0.0, image[i] - kRadius);
    const double high = std::min(1.0, image[i] + kRadius);
    const bool bernoulli = vae.likelihood.name() == "bernoulli";
    const double best = bernoulli ? (outputs[i] > 0.0 ? high : low) : std::clamp(outputs[i], low, high);
    energy += pixel_energy(vae.likelihood, best, outputs[i]);
  }
  return energy;
}

double channel_energy(const models::VaeWeights& vae, const ChannelModel& model, std::span<const float> image,
                      std::span<const float> latent) {
  const std::vector<double> z(latent.begin(), latent.end());
  const auto outputs = networks::reference_forward(vae.decoder, z).back();
  double energy = prior_energy(latent);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    energy -= std::log(mixed(kChannel, model.terms_at(image[i], kChannel.radius, outputs[i]).mass));
  }
  return energy;
}

TEST(ObservedPosterior, TheBestOfABallAgreesWithDoublePrecisionOnEveryBackend) {
  for (const models::Likelihood& likelihood : kLikelihoods) {
    const models::VaeWeights weights = random_vae(likelihood);
    for (const char* backend : {"native", "reference"}) {
      const models::Vae vae(weights, backend);
      const Matrix images = mixed_images(Key(13), 3, 784);
      const PosteriorEnergy field(vae, minimum_observation(likelihood, images, Norm::linf, {0.1, 0.1, 0.1}));
      const Matrix latents = random_latents(3);
      const auto values = values_of(field, latents, 1);
      for (std::int64_t b = 0; b < 3; ++b) {
        // As for the ordinary posterior: outputs err by 2.6e-5 with random signs, times slopes of at most 10.
        EXPECT_NEAR(values[static_cast<std::size_t>(b)], minimum_energy(weights, images.row(b), latents.row(b)),
                    2.6e-5 * 10.0 * 28.0)
            << backend << " " << likelihood.name();
      }
    }
  }
}

TEST(ObservedPosterior, AChannelAgreesWithDoublePrecisionOnEveryBackend) {
  const models::VaeWeights weights = random_vae({});
  const auto model = std::make_shared<const ChannelModel>(models::made_up_law());
  for (const char* backend : {"native", "reference"}) {
    const models::Vae vae(weights, backend);
    Matrix images = mixed_images(Key(13), 3, 784);
    for (float& x : images.flat()) {
      x = std::round(255.0F * x) / 255.0F;
    }
    const PosteriorEnergy field(vae, channel_observation(model, images, {kChannel, kChannel, kChannel}));
    const Matrix latents = random_latents(3);
    const auto values = values_of(field, latents, 1);
    for (std::int64_t b = 0; b < 3; ++b) {
      // The cubic between nodes is off by at most 0.03 a pixel, of either sign and mostly much less.
      EXPECT_NEAR(values[static_cast<std::size_t>(b)], channel_energy(weights, *model, images.row(b), latents.row(b)),
                  0.005 * 784.0)
          << backend;
    }
  }
}

std::vector<std::shared_ptr<const Observation>> observations(const Matrix& images) {
  const auto count = static_cast<std::size_t>(images.rows());
  return {minimum_observation({}, images, Norm::linf, std::vector<double>(count, 0.1)),
          minimum_observation({}, images, Norm::l2, std::vector<double>(count, 2.0)),
          channel_observation(std::make_shared<const ChannelModel>(models::made_up_law()), images,
                              std::vector<Channel>(count, kChannel)),
          gaussian_observation({}, images, std::vector<double>(count, 0.3)),
          law_observation(std::make_shared<const models::PixelLaw>(models::made_up_law()), images,
                          std::vector<double>(count, 0.3))};
}

TEST(ObservedPosterior, GradientsAgreeWithFiniteDifferencesAlongThem) {
  const models::Vae vae(random_vae({}), "reference");  // in double, so that small steps are seen
  for (const auto& observation : observations(mixed_images(Key(15), 1, 784))) {
    const PosteriorEnergy field(vae, observation);
    const Matrix at = random_latents(1);
    std::vector<double> value(1);
    Matrix gradient;
    field.evaluate(consecutive(0, at.rows()), at, value, &gradient);
    double norm = 0.0;
    for (const float g : gradient.values()) {
      norm += static_cast<double>(g) * g;
    }
    norm = std::sqrt(norm);
    const auto moved = [&](double step) {
      Matrix point = at;
      for (std::size_t d = 0; d < point.values().size(); ++d) {
        point.data()[d] += static_cast<float>(step * gradient.values()[d] / norm);
      }
      return values_of(field, point, 1)[0];
    };
    // ReLUs that turn and logits that change sign within the step bend the energy: some percent.
    EXPECT_NEAR((moved(1e-3) - moved(-1e-3)) / 2e-3, norm, 0.03 * norm);
  }
}

TEST(ObservedPosterior, ResultsDoNotDependOnBatchesAndThreads) {
  constexpr std::int64_t kAll = 20;
  const models::Vae vae(random_vae({}));
  for (const auto& observation : observations(mixed_images(Key(16), kAll, 784))) {
    const PosteriorEnergy field(vae, observation);
    ASSERT_EQ(field.size(), kAll);
    const Matrix latents = random_latents(kAll);
    std::vector<double> values(kAll);
    Matrix gradients;
    field.evaluate(consecutive(0, latents.rows()), latents, values, &gradients);
    EXPECT_EQ(values_of(field, latents, 1), values);
    EXPECT_EQ(values_of(field, latents, 2), values);
    Matrix pieces(kAll, 64);
    parallel_chunks(kAll, 3, 2, [&](std::int64_t first, std::int64_t count) {
      Matrix part;
      field.gradients(consecutive(first, count), latents.slice(first, count), part);
      pieces.assign(first, part);
    });
    EXPECT_EQ(pieces, gradients);
  }
}

}  // namespace
}  // namespace vaeguard::energy
