// Goals: their values against independent formulas, their gradients against finite differences.
#include "vaeguard/attacks/goal.h"

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

models::Gaussian gaussian(const models::Encoding& encoding, std::int64_t row) {
  models::Gaussian result{std::vector<double>(encoding.mean.row(row).begin(), encoding.mean.row(row).end()),
                          std::vector<double>(kLatents * kLatents, 0.0)};
  for (std::size_t d = 0; d < kLatents; ++d) {
    result.covariance[d * kLatents + d] =
        std::exp(static_cast<double>(encoding.log_variance(row, static_cast<std::int64_t>(d))));
  }
  return result;
}

TEST(Goal, SymmetricKlIsTheMeanOfBothDivergences) {
  const auto clean = random_encoding(1);
  const auto attacked = random_encoding(2);
  const SymmetricKl goal(clean);
  for (std::int64_t i = 0; i < kReferences; ++i) {
    const auto p = gaussian(clean, i);
    const auto q = gaussian(attacked, i);
    const double expected = 0.5 * (models::kl_divergence(p, q) + models::kl_divergence(q, p));
    // Both are exact up to double rounding of sums of a few terms.
    EXPECT_NEAR(goal.value(i, output_row(attacked, i), {}), expected, 1e-12 * (1 + expected));
  }
}

TEST(Goal, SymmetricKlAndItsGradientVanishAtTheReference) {
  const auto clean = random_encoding(1);
  const SymmetricKl goal(clean);
  std::vector<float> gradient(2 * kLatents, 1.0F);
  EXPECT_EQ(goal.value(3, output_row(clean, 3), gradient), 0.0);
  EXPECT_THAT(gradient, testing::Each(0.0F));
}

TEST(Goal, SymmetricKlKeepsItsDigitsNearTheReference) {
  const models::Encoding clean{Matrix(1, 1, 0.0F), Matrix(1, 1, 0.0F)};
  // sinh^2(v / 2) = v^2 / 4 to a relative v^2 / 12.
  const double value = SymmetricKl(clean).value(0, std::vector<float>{0.0F, 1e-6F}, {});
  EXPECT_NEAR(value / 0.25e-12, 1.0, 1e-6);
}

TEST(Goal, CrossEntropyIsTakenAgainstTheCleanPrediction) {
  const models::LinearClassifier classifier{Matrix(2, 1, {1.0F, -1.0F}), {0.0F, 0.0F}};
  const ClassifierCrossEntropy goal(classifier, Matrix(2, 1, {3.0F, -3.0F}));  // predictions 0 and 1
  std::vector<float> gradient(2);
  // logits 0.5 and -0.5: -log softmax = log(1 + e^-1) and log(1 + e^1); d/dm = -2 (1 - p_0) and 2 p_0.
  EXPECT_NEAR(goal.value(0, std::vector<float>{0.5F, 9.0F}, gradient), std::log1p(std::exp(-1.0)), 1e-12);
  EXPECT_NEAR(gradient[0], -2.0 / (1.0 + std::exp(1.0)), 1e-6);
  EXPECT_EQ(gradient[1], 0.0F);
  EXPECT_NEAR(goal.value(1, std::vector<float>{0.5F, 9.0F}, gradient), std::log1p(std::exp(1.0)), 1e-12);
  EXPECT_NEAR(gradient[0], 2.0 / (1.0 + std::exp(-1.0)), 1e-6);
}

TEST(Goal, GradientsOfAllGoalsAgreeWithFiniteDifferences) {
  const auto classifier = random_classifier(Key(3), 4, kLatents);
  const auto attacked = random_encoding(2);
  for (const GoalEntry& entry : goals()) {
    const auto goal = entry.make({random_encoding(1), &classifier});
    EXPECT_EQ(goal->name(), entry.name);
    EXPECT_EQ(goal->size(), kReferences);
    EXPECT_EQ(goal->latent_size(), kLatents);
    for (std::int64_t i = 0; i < kReferences; ++i) {
      const auto output = output_row(attacked, i);
      std::vector<float> gradient(output.size());
      const double value = goal->value(i, output, gradient);
      EXPECT_EQ(value, goal->value(i, output, {}));
      for (std::size_t k = 0; k < output.size(); ++k) {
        auto up = output;
        auto down = output;
        up[k] += 0x1p-10F;
        down[k] -= 0x1p-10F;
        const double difference =
            (goal->value(i, up, {}) - goal->value(i, down, {})) / (static_cast<double>(up[k]) - down[k]);
        // Central differences err by h^2 f''' / 6, about 2e-7 of exponentials of order 10.
        EXPECT_NEAR(gradient[k], difference, 1e-5 * (1 + std::abs(difference))) << entry.name << " output " << k;
      }
    }
  }
}

TEST(Goal, OverflowIsDataNotAnError) {
  const SymmetricKl goal(random_encoding(1));
  std::vector<float> output(2 * kLatents, 0.0F);
  output[kLatents] = -2000.0F;
  EXPECT_EQ(goal.value(0, output, {}), INFINITY);
}

TEST(Goal, BadReferencesAreNamed) {
  EXPECT_THAT(
      [] {
        SymmetricKl({Matrix(2, 3), Matrix(2, 4)});
      },
      testing::ThrowsMessage<Misuse>(testing::HasSubstr("log-variances of the references must be [2, 3]")));
  EXPECT_THROW(ClassifierCrossEntropy(random_classifier(Key(1), 4, 3), Matrix(2, 4)), Misuse);
  EXPECT_THROW(SymmetricKl({Matrix(1, 1, NAN), Matrix(1, 1)}), Misuse);
}

}  // namespace
}  // namespace vaeguard::attacks
