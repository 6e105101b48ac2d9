// The error of a mean image where the decoder is linear, so that each pixel's error is a multiple of the code's.
#include "vaeguard/measures/reconstruction_error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "vaeguard/base/random.h"
#include "vaeguard/mcmc/diagnostics.h"
#include "vaeguard/models/linear_vae.h"

namespace vaeguard::measures {
namespace {

/// Three pixels, 2 z, -1 z and one that no code changes.
models::Vae three_pixels() {
  return models::Vae(
      models::LinearVae(Matrix(3, 1, std::vector<float>{2.0F, -1.0F, 0.0F}), {0.5F, 0.5F, 0.5F}, 1.0).weights());
}

TEST(ReconstructionError, IsTheRootMeanSquareOfThePixelsErrors) {
  defences::Inference inference;
  inference.chains = 2;
  inference.draws = Matrix(1, 60);
  fill_normal(Key(1), inference.draws.flat());
  mcmc::Chains codes(2);
  for (std::int64_t k = 0; k < 60; ++k) {
    codes[static_cast<std::size_t>(k / 30)].push_back(inference.draws(0, k));
  }
  const double expected = 255.0 * mcmc::mcse_mean(codes) * std::sqrt((4.0 + 1.0 + 0.0) / 3.0);
  const auto errors = reconstruction_error(three_pixels(), inference, 1);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_NEAR(errors[0], expected, 1e-5 * expected);  // images are decoded in float
}

TEST(ReconstructionError, IsTheSameForAnyNumberOfThreadsAndUnknownForFewDraws) {
  defences::Inference inference;
  inference.chains = 1;
  inference.draws = Matrix(3, 20);
  fill_normal(Key(2), inference.draws.flat());
  const auto few = inference.draws.row(2).subspan(5);
  std::ranges::fill(few, std::numeric_limits<float>::quiet_NaN());  // that chain ended after five draws
  const auto one = reconstruction_error(three_pixels(), inference, 1);
  const auto two = reconstruction_error(three_pixels(), inference, 2);
  EXPECT_EQ(one[0], two[0]);
  EXPECT_EQ(one[1], two[1]);
  EXPECT_NE(one[0], one[1]);
  EXPECT_TRUE(std::isnan(one[2]));
  EXPECT_TRUE(std::isnan(two[2]));
}

}  // namespace
}  // namespace vaeguard::measures
