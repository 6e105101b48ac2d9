// The linear classifier: prediction, cross-entropy and its gradient.
#include "vaeguard/models/classifier.h"

#include <array>
#include <limits>

#include "vaeguard/base/error.h"
#include "vaeguard/base/random.h"

namespace vaeguard::models {
namespace {

LinearClassifier example() {
  return {.weight = Matrix(3, 2, std::vector<float>{1.0F, 0.0F, 0.0F, 1.0F, -1.0F, -1.0F}), .bias = {0.5F, 0.0F, 0.0F}};
}

TEST(Classifier, LogitsAreWeightTimesLatentPlusBias) {
  const Matrix logits = example().logits(Matrix(1, 2, std::vector<float>{2.0F, 3.0F}));
  EXPECT_THAT(logits.values(), testing::ElementsAre(2.5F, 3.0F, -5.0F));
}

TEST(Classifier, PredictsTheLargestLogitAndTheFirstInATie) {
  const Matrix latents(3, 2, std::vector<float>{2.0F, 3.0F, -3.0F, -3.0F, 0.0F, 0.5F});
  EXPECT_THAT(example().predict(latents), testing::ElementsAre(1, 2, 0));
}

TEST(Classifier, GivesACodeThatIsNoNumberNoClass) {
  const LinearClassifier classifier{Matrix(2, 1, std::vector<float>{1.0F, -1.0F}), {0.0F, 0.0F}};
  const Matrix codes(3, 1, std::vector<float>{1.0F, std::numeric_limits<float>::quiet_NaN(), -1.0F});
  EXPECT_EQ(classifier.predict(codes), (std::vector<std::int64_t>{0, kNoClass, 1}));
}

TEST(Classifier, ProbabilitiesAreTheSoftmaxOfTheLogitsHoweverLarge) {
  const Matrix probabilities = example().probabilities(Matrix(2, 2, std::vector<float>{2.0F, 3.0F, 2e4F, 0.0F}));
  const double total = std::exp(2.5) + std::exp(3.0) + std::exp(-5.0);
  EXPECT_FLOAT_EQ(probabilities(0, 0), static_cast<float>(std::exp(2.5) / total));
  EXPECT_FLOAT_EQ(probabilities(0, 2), static_cast<float>(std::exp(-5.0) / total));
  EXPECT_THAT(probabilities.row(1), testing::ElementsAre(1.0F, 0.0F, 0.0F));
}

TEST(Classifier, CrossEntropyIsMinusLogSoftmax) {
  const std::array latent{2.0F, 3.0F};
  const double expected = std::log(std::exp(2.5) + std::exp(3.0) + std::exp(-5.0)) - 2.5;
  EXPECT_NEAR(example().cross_entropy(latent, 0, {}), expected, 1e-12);
}

TEST(Classifier, CrossEntropyOfHugeLogitsIsFinite) {
  const std::array latent{2e4F, 0.0F};
  EXPECT_NEAR(example().cross_entropy(latent, 2, {}), 4e4 + 0.5, 1e-6);
}

// Central differences with step h = 2^-7 err by h^2/6 times the third derivative, here below 1e-4.
TEST(Classifier, GradientAgreesWithFiniteDifferences) {
  LinearClassifier classifier{.weight = Matrix(5, 4), .bias = std::vector<float>(5, 0.1F)};
  fill_normal(Key(1), classifier.weight.flat());
  std::array<float, 4> latent{};
  fill_normal(Key(2), latent);
  std::array<float, 4> gradient{};
  for (std::int64_t label = 0; label < 5; ++label) {
    classifier.cross_entropy(latent, label, gradient);
    for (std::size_t d = 0; d < latent.size(); ++d) {
      constexpr float kStep = 0x1p-7F;
      auto up = latent;
      auto down = latent;
      up[d] += kStep;
      down[d] -= kStep;
      const double change = classifier.cross_entropy(up, label, {}) - classifier.cross_entropy(down, label, {});
      EXPECT_NEAR(gradient[d], change / (static_cast<double>(up[d]) - down[d]), 1e-4);
    }
  }
}

TEST(Classifier, AccuracyIsTheShareOfHits) {
  const Matrix latents(2, 2, std::vector<float>{2.0F, 3.0F, -3.0F, -3.0F});
  EXPECT_DOUBLE_EQ(accuracy(example(), latents, std::array<std::int64_t, 2>{1, 0}), 0.5);
}

TEST(Classifier, RefusesWrongShapesAndLabels) {
  const std::array latent{2.0F, 3.0F};
  EXPECT_THROW((void)example().logits(Matrix(1, 3)), Misuse);
  EXPECT_THROW(example().cross_entropy(latent, 3, {}), Misuse);
  EXPECT_THROW(accuracy(example(), Matrix(2, 2), std::array<std::int64_t, 1>{1}), Misuse);
}

}  // namespace
}  // namespace vaeguard::models
