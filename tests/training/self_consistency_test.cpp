// The inconsistency of codes: where it is zero, against an average over draws, and its gradients.
#include "vaeguard/training/self_consistency.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/base/random.h"

namespace vaeguard::training {
namespace {

using Code = std::vector<float>;

TEST(SelfConsistency, IsZeroForTheConditionalLawItself) {
  const double rho = 0.8;
  const auto log_variance = static_cast<float>(std::log(1.0 - rho * rho));
  const Code z{1.5F, -0.25F};
  EXPECT_NEAR(inconsistency(z, {}, Code{1.2F, -0.2F, log_variance, log_variance}, rho, {}, {}), 0.0, 1e-6);
  EXPECT_GT(inconsistency(z, {}, Code{1.5F, -0.25F, log_variance, log_variance}, rho, {}, {}), 0.05);
}

// The mean over draws of z of the divergence from p(z'|z). 20,000 draws of a spread near 1.5 have the standard error
// 0.011: 0.06 is beyond five of them.
TEST(SelfConsistency, IsTheMeanOverCodes) {
  const double rho = 0.7;
  const Code mean{0.5F};
  const Code log_variance{-0.3F};
  const Code again{-0.2F, -1.0F};
  Code draws(20000);
  fill_normal(Key(1), draws);
  double sum = 0.0;
  for (const float u : draws) {
    sum += inconsistency(Code{mean[0] + std::exp(0.5F * log_variance[0]) * u}, {}, again, rho, {}, {});
  }
  EXPECT_NEAR(inconsistency(mean, log_variance, again, rho, {}, {}), sum / 20000.0, 0.06);
}

TEST(SelfConsistency, GradientsAgreeWithDifferences) {
  Code code{0.4F, -1.1F, -0.5F, -2.0F};
  Code again{0.1F, -0.8F, -1.5F, -0.2F};
  const auto value = [&](std::span<float> gradient, std::span<float> gradient_again) {
    return inconsistency(std::span(code).first(2), std::span(code).last(2), again, 0.9, gradient, gradient_again);
  };
  Code by_code(4);
  Code by_again(4);
  value(by_code, by_again);
  for (const auto& [variables, gradient] : {std::pair(&code, &by_code), std::pair(&again, &by_again)}) {
    for (std::size_t i = 0; i < 4; ++i) {
      const float kept = (*variables)[i];
      (*variables)[i] = kept + 0x1p-10F;
      const double above = (*variables)[i];
      const double up = value({}, {});
      (*variables)[i] = kept - 0x1p-10F;
      const double slope = (up - value({}, {})) / (above - (*variables)[i]);
      (*variables)[i] = kept;
      EXPECT_NEAR((*gradient)[i], slope, 1e-5 * (1.0 + std::abs(slope)));
    }
  }
}

TEST(SelfConsistency, RefusesCorrelationsThatAreNone) {
  EXPECT_NO_THROW(check_correlation(0.975));
  for (const double rho : {-0.1, 1.0, std::nan("")}) {
    EXPECT_THROW(check_correlation(rho), Misuse);
  }
}

}  // namespace
}  // namespace vaeguard::training
