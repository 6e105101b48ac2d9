// Losses of the latent classifier: their values by hand, what a positive margin means, and errors that name the cause.
#include "vaeguard/attacks/classifier_goal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/attacks/fixtures.h"
#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

/// Logits are the latents themselves.
models::LinearClassifier identity_classifier(std::int64_t classes) {
  models::LinearClassifier classifier{Matrix(classes, classes), std::vector<float>(static_cast<std::size_t>(classes))};
  for (std::int64_t c = 0; c < classes; ++c) {
    classifier.weight(c, c) = 1.0F;
  }
  return classifier;
}

double value_of(ClassifierLoss loss, const ClassAim& aim, std::vector<float> logits, std::vector<float>* gradient) {
  const ClassifierGoal goal("goal", loss, identity_classifier(std::ssize(logits)), {aim});
  logits.resize(2 * logits.size(), 9.0F);  // log-variances do not matter
  std::vector<float> slopes(logits.size());
  const double value = goal.value(0, logits, slopes);
  if (gradient != nullptr) {
    *gradient = slopes;
  }
  return value;
}

TEST(ClassifierGoal, CrossEntropyIsTakenAgainstTheCleanPrediction) {
  const models::LinearClassifier classifier{Matrix(2, 1, {1.0F, -1.0F}), {0.0F, 0.0F}};
  const auto goal = make_goal("classifier_ce",
                              {.references = {Matrix(2, 1, {2.0F, -2.0F}), Matrix(2, 1)}, .classifier = &classifier});
  std::vector<float> gradient(2);
  // Logits (0.5, -0.5); classes 0 and 1 are predicted for the two references.
  EXPECT_NEAR(goal->value(0, std::vector<float>{0.5F, 9.0F}, gradient), std::log1p(std::exp(-1.0)), 1e-12);
  EXPECT_NEAR(gradient[0], -2.0 / (1.0 + std::exp(1.0)), 1e-6);
  EXPECT_EQ(gradient[1], 0.0F);
  EXPECT_NEAR(goal->value(1, std::vector<float>{0.5F, 9.0F}, gradient), std::log1p(std::exp(1.0)), 1e-12);
  EXPECT_NEAR(gradient[0], 2.0 / (1.0 + std::exp(-1.0)), 1e-6);
}

TEST(ClassifierGoal, TowardsAClassCrossEntropyIsItsLogProbability) {
  std::vector<float> gradient;
  EXPECT_NEAR(value_of(ClassifierLoss::cross_entropy, {.own = 0, .target = 1}, {0.0F, 0.0F}, &gradient), -std::log(2.0),
              1e-12);
  EXPECT_THAT(gradient, testing::ElementsAre(-0.5F, 0.5F, 0.0F, 0.0F));
}

TEST(ClassifierGoal, TheMarginIsTheBestOtherLogitMinusTheOwn) {
  std::vector<float> gradient;
  EXPECT_EQ(value_of(ClassifierLoss::margin, {.own = 0}, {4.0F, 1.0F, 3.0F}, &gradient), -1.0);
  EXPECT_THAT(gradient, testing::ElementsAre(-1.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0.0F));
  EXPECT_EQ(value_of(ClassifierLoss::margin, {.own = 1}, {4.0F, 1.0F, 3.0F}, nullptr), 3.0);
  EXPECT_EQ(value_of(ClassifierLoss::margin, {.own = 0, .target = 1}, {4.0F, 1.0F, 3.0F}, &gradient), -3.0);
  EXPECT_THAT(gradient, testing::ElementsAre(-1.0F, 1.0F, 0.0F, 0.0F, 0.0F, 0.0F));
}

TEST(ClassifierGoal, DlrIsTheMarginOverTheSpreadOfTheBestThree) {
  EXPECT_DOUBLE_EQ(value_of(ClassifierLoss::dlr, {.own = 0}, {4.0F, 1.0F, 3.0F}, nullptr), -1.0 / 3.0);
  EXPECT_DOUBLE_EQ(value_of(ClassifierLoss::dlr, {.own = 2}, {4.0F, 1.0F, 3.0F, 2.0F}, nullptr), 1.0 / 2.0);
  // Towards class 1 from class 0: (1 - 4) / (4 - (2 + 1) / 2).
  EXPECT_DOUBLE_EQ(value_of(ClassifierLoss::dlr, {.own = 0, .target = 1}, {4.0F, 1.0F, 3.0F, 2.0F}, nullptr),
                   -3.0 / 2.5);
}

TEST(ClassifierGoal, DlrDoesNotChangeWhenLogitsAreScaledOrShifted) {
  const std::vector<float> logits{4.0F, 1.0F, 3.0F, 2.0F};
  auto changed = logits;
  std::ranges::for_each(changed, [](float& l) { l = 8.0F * l + 16.0F; });
  for (const std::int64_t target : {-1, 2}) {
    const ClassAim aim{.own = 0, .target = target};
    EXPECT_DOUBLE_EQ(value_of(ClassifierLoss::dlr, aim, logits, nullptr),
                     value_of(ClassifierLoss::dlr, aim, changed, nullptr));
  }
}

TEST(ClassifierGoal, APositiveMarginOrDlrMeansThatThePredictionHasChanged) {
  const auto classifier = random_classifier(Key(1), 6, 3);
  Matrix codes(200, 3);
  fill_normal(Key(2), codes.flat());
  const auto predictions = classifier.predict(codes);
  for (std::int64_t own = 0; own < 6; ++own) {
    const ClassifierGoal margin("margin", ClassifierLoss::margin, classifier, {{.own = own}});
    const ClassifierGoal dlr("dlr", ClassifierLoss::dlr, classifier, {{.own = own}});
    for (std::int64_t i = 0; i < codes.rows(); ++i) {
      std::vector<float> output(codes.row(i).begin(), codes.row(i).end());
      output.resize(6);
      const bool changed = predictions[static_cast<std::size_t>(i)] != own;
      EXPECT_EQ(margin.value(0, output, {}) > 0.0, changed);
      EXPECT_EQ(dlr.value(0, output, {}) > 0.0, changed);
    }
  }
}

TEST(ClassifierGoal, EqualLogitsAreDataNotAnError) {
  EXPECT_TRUE(std::isnan(value_of(ClassifierLoss::dlr, {.own = 0}, {1.0F, 1.0F, 1.0F}, nullptr)));
}

TEST(ClassifierGoal, TooFewClassesAndImpossibleAimsAreNamed) {
  const auto make = [](std::int64_t classes, ClassAim aim) {
    return [=] { ClassifierGoal("classifier_dlr", ClassifierLoss::dlr, identity_classifier(classes), {aim}); };
  };
  EXPECT_THAT(make(2, {.own = 0}),
              testing::ThrowsMessage<Misuse>(testing::HasSubstr("needs a classifier of at least 3 classes, got 2")));
  EXPECT_THAT(make(3, {.own = 0, .target = 1}), testing::ThrowsMessage<Misuse>(testing::HasSubstr("at least 4")));
  EXPECT_THAT(make(5, {.own = 1, .target = 1}), testing::ThrowsMessage<Misuse>(testing::HasSubstr("two different")));
}

}  // namespace
}  // namespace vaeguard::attacks
