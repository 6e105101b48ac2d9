// The curvature of every observation model against finite differences of its gradient.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "tests/energy/observation_fixtures.h"
#include "tests/models/made_up_law.h"

namespace vaeguard::energy {
namespace {

constexpr std::size_t kPixels = 60;

struct Case {
  std::string name;
  std::unique_ptr<Observation> observation;
  std::vector<float> parameters;
};

std::vector<Case> cases() {
  std::vector<Case> result;
  const Matrix images = mixed_images(Key(1), 1, kPixels);
  for (const models::Likelihood& likelihood : kLikelihoods) {
    const std::string name(likelihood.name());
    const auto parameters = random_outputs(Key(2), likelihood, kPixels);
    result.push_back({name + ", exact", exact_observation(likelihood, images), parameters});
    result.push_back({name + ", minimum", minimum_observation(likelihood, images, Norm::linf, {0.2}), parameters});
    result.push_back({name + ", Gaussian noise", gaussian_observation(likelihood, images, {0.3}), parameters});
  }
  const auto model = std::make_shared<const ChannelModel>(models::made_up_law());
  const Channel channel{.radius = 0.1, .untouched = 0.3, .uniform = 0.3, .extreme = 0.4};
  result.push_back({"channel", channel_observation(model, images, {channel}),
                    random_outputs(Key(3), models::Likelihood{}, kPixels)});
  result.push_back({"law",
                    law_observation(std::make_shared<const models::PixelLaw>(models::made_up_law()), images, {0.2}),
                    random_outputs(Key(3), models::Likelihood{}, kPixels)});
  return result;
}

TEST(ObservationCurvature, AgreesWithFiniteDifferencesOfTheGradient) {
  constexpr float kStep = 0x1p-8F;
  for (const Case& one : cases()) {
    std::vector<float> up = one.parameters;
    std::vector<float> down = one.parameters;
    std::vector<float> at(kPixels);
    std::vector<float> above(kPixels);
    std::vector<float> below(kPixels);
    for (std::size_t i = 0; i < kPixels; ++i) {
      up[i] += kStep;
      down[i] -= kStep;
    }
    one.observation->curvature(0, one.parameters, at);
    one.observation->gradient(0, up, above);
    one.observation->gradient(0, down, below);
    std::size_t agreeing = 0;
    for (std::size_t i = 0; i < kPixels; ++i) {
      const double slope = (static_cast<double>(above[i]) - below[i]) / (2.0 * kStep);
      // Gradients of order 10 in float err by 1e-6, so the quotient by 1e-4; the third derivative adds 1e-3.
      agreeing += std::abs(at[i] - slope) <= 0.02 * (1.0 + std::abs(slope)) ? 1 : 0;
    }
    // A kink of the energy, or a node of the channel's cubic, may lie within the step of a few pixels.
    EXPECT_GE(agreeing, kPixels * 9 / 10) << one.name;
  }
}

TEST(ObservationCurvature, IsZeroWhereTheBestPixelFollowsTheMeanAndTheVariancesInverseElsewhere) {
  const models::Likelihood gaussian = models::gaussian(0.2);
  const auto observation = minimum_observation(gaussian, Matrix(1, 3, {0.5F, 0.5F, 0.5F}), Norm::linf, {0.1});
  std::vector<float> curvature(3);
  observation->curvature(0, std::vector<float>{0.45F, 0.7F, 0.1F}, curvature);
  EXPECT_EQ(curvature[0], 0.0F);
  EXPECT_FLOAT_EQ(curvature[1], 5.0F);
  EXPECT_FLOAT_EQ(curvature[2], 5.0F);
}

}  // namespace
}  // namespace vaeguard::energy
