// Gaps between encodings: their values against independent formulas, and towards is minus away.
#include "vaeguard/attacks/encoder_goal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/attacks/fixtures.h"
#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

constexpr std::int64_t kReferences = 5;
constexpr std::int64_t kLatents = 3;

models::Encoding random_encoding(std::uint64_t seed) {
  models::Encoding encoding{Matrix(kReferences, kLatents), Matrix(kReferences, kLatents)};
  fill_normal(Key(seed).fold("mean"), encoding.mean.flat());
  fill_normal(Key(seed).fold("log_variance"), encoding.log_variance.flat());
  return encoding;
}

std::vector<float> output_row(const models::Encoding& encoding, std::int64_t row) {
  std::vector<float> output(encoding.mean.row(row).begin(), encoding.mean.row(row).end());
  output.insert(output.end(), encoding.log_variance.row(row).begin(), encoding.log_variance.row(row).end());
  return output;
}

EncoderGoal away(EncodingGap gap, const models::Encoding& references) {
  return {"goal", gap, Direction::away, references};
}

constexpr EncodingGap kGaps[] = {EncodingGap::symmetric_kl, EncodingGap::forward_kl, EncodingGap::reverse_kl,
                                 EncodingGap::means, EncodingGap::wasserstein};

models::Gaussian gaussian(const models::Encoding& encoding, std::int64_t row) {
  models::Gaussian result{std::vector<double>(encoding.mean.row(row).begin(), encoding.mean.row(row).end()),
                          std::vector<double>(kLatents * kLatents, 0.0)};
  for (std::size_t d = 0; d < kLatents; ++d) {
    result.covariance[d * kLatents + d] =
        std::exp(static_cast<double>(encoding.log_variance(row, static_cast<std::int64_t>(d))));
  }
  return result;
}

TEST(EncoderGoal, SymmetricKlIsTheMeanOfBothDivergences) {
  const auto clean = random_encoding(1);
  const auto attacked = random_encoding(2);
  const EncoderGoal goal = away(EncodingGap::symmetric_kl, clean);
  for (std::int64_t i = 0; i < kReferences; ++i) {
    const auto p = gaussian(clean, i);
    const auto q = gaussian(attacked, i);
    const double expected = 0.5 * (models::kl_divergence(p, q) + models::kl_divergence(q, p));
    // Both are exact up to double rounding of sums of a few terms.
    EXPECT_NEAR(goal.value(i, output_row(attacked, i), {}), expected, 1e-12 * (1 + expected));
  }
}

TEST(EncoderGoal, SymmetricKlAndItsGradientVanishAtTheReference) {
  const auto clean = random_encoding(1);
  const EncoderGoal goal = away(EncodingGap::symmetric_kl, clean);
  std::vector<float> gradient(2 * kLatents, 1.0F);
  EXPECT_EQ(goal.value(3, output_row(clean, 3), gradient), 0.0);
  EXPECT_THAT(gradient, testing::Each(0.0F));
}

TEST(EncoderGoal, SymmetricKlKeepsItsDigitsNearTheReference) {
  const models::Encoding clean{Matrix(1, 1, 0.0F), Matrix(1, 1, 0.0F)};
  // sinh^2(v / 2) = v^2 / 4 to a relative v^2 / 12.
  const double value = away(EncodingGap::symmetric_kl, clean).value(0, std::vector<float>{0.0F, 1e-6F}, {});
  EXPECT_NEAR(value / 0.25e-12, 1.0, 1e-6);
}

TEST(EncoderGoal, ForwardKlIsThatOfTheCleanEncodingAndReverseKlThatOfTheAttackedOne) {
  const auto clean = random_encoding(1);
  const auto attacked = random_encoding(2);
  for (std::int64_t i = 0; i < kReferences; ++i) {
    const auto p = gaussian(clean, i);
    const auto q = gaussian(attacked, i);
    const double forward = models::kl_divergence(p, q);
    const double reverse = models::kl_divergence(q, p);
    EXPECT_NEAR(away(EncodingGap::forward_kl, clean).value(i, output_row(attacked, i), {}), forward,
                1e-12 * (1 + forward));
    EXPECT_NEAR(away(EncodingGap::reverse_kl, clean).value(i, output_row(attacked, i), {}), reverse,
                1e-12 * (1 + reverse));
  }
}

TEST(EncoderGoal, DistancesAreThoseOfMeansAndDeviations) {
  const models::Encoding clean{Matrix(1, 2, {1.0F, 0.0F}), Matrix(1, 2, {0.0F, 0.0F})};
  const std::vector<float> output{3.0F, -1.0F, 2.0F * std::log(4.0F), 0.0F};
  EXPECT_DOUBLE_EQ(away(EncodingGap::means, clean).value(0, output, {}), 5.0);
  EXPECT_NEAR(away(EncodingGap::wasserstein, clean).value(0, output, {}), 5.0 + 9.0, 1e-5);
}

TEST(EncoderGoal, EveryGapAndItsGradientVanishAtTheReferenceAndAreNoLongerThereElsewhere) {
  const auto clean = random_encoding(1);
  for (const EncodingGap gap : kGaps) {
    std::vector<float> gradient(2 * kLatents, 1.0F);
    EXPECT_EQ(away(gap, clean).value(3, output_row(clean, 3), gradient), 0.0);
    EXPECT_THAT(gradient, testing::Each(0.0F));
    EXPECT_GT(away(gap, clean).value(3, output_row(clean, 2), {}), 0.1);
  }
}

TEST(EncoderGoal, TowardsIsMinusAway) {
  const auto clean = random_encoding(1);
  const auto output = output_row(random_encoding(2), 0);
  for (const EncodingGap gap : kGaps) {
    std::vector<float> leaving(2 * kLatents);
    std::vector<float> coming(2 * kLatents);
    const EncoderGoal towards("goal", gap, Direction::towards, clean);
    EXPECT_EQ(towards.value(0, output, coming), -away(gap, clean).value(0, output, leaving));
    for (std::size_t k = 0; k < leaving.size(); ++k) {
      EXPECT_EQ(coming[k], -leaving[k]);
    }
  }
}

TEST(EncoderGoal, OverflowIsDataNotAnError) {
  const EncoderGoal goal = away(EncodingGap::symmetric_kl, random_encoding(1));
  std::vector<float> output(2 * kLatents, 0.0F);
  output[kLatents] = -2000.0F;
  EXPECT_EQ(goal.value(0, output, {}), INFINITY);
}

TEST(EncoderGoal, BadReferencesAreNamed) {
  EXPECT_THAT(
      [] {
        away(EncodingGap::means, {Matrix(2, 3), Matrix(2, 4)});
      },
      testing::ThrowsMessage<Misuse>(testing::HasSubstr("log-variances of the references must be [2, 3]")));
  EXPECT_THROW(away(EncodingGap::means, {Matrix(1, 1, NAN), Matrix(1, 1)}), Misuse);
}

}  // namespace
}  // namespace vaeguard::attacks
