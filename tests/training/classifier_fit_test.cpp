// The logistic regression reaches the optimum that its optimality condition defines.
#include "vaeguard/training/classifier_fit.h"

#include "vaeguard/base/error.h"
#include "vaeguard/base/random.h"

namespace vaeguard::training {
namespace {

struct Problem {
  Matrix features;
  std::vector<std::int64_t> labels;
};

// Three overlapping clouds in four dimensions of very different scale, and one constant feature.
Problem clouds() {
  constexpr std::int64_t kRows = 3000;
  Problem problem{.features = Matrix(kRows, 5), .labels = {}};
  for (std::int64_t i = 0; i < kRows; ++i) {
    const std::int64_t label = i % 3;
    fill_normal(Key(1).fold(static_cast<std::uint64_t>(i)), problem.features.row(i));
    problem.features(i, label) += 1.5F;
    problem.features(i, 0) = 100.0F * problem.features(i, 0) + 1000.0F;
    problem.features(i, 3) *= 1e-3F;
    problem.features(i, 4) = 7.0F;
    problem.labels.push_back(label);
  }
  return problem;
}

// At the optimum of mean cross-entropy + ridge |W|^2 / 2 the mean of (softmax_c - [c = label]) x_d is -ridge W_cd, and
// the mean of (softmax_c - [c = label]) is 0.
TEST(ClassifierFit, SatisfiesTheOptimalityCondition) {
  const auto [features, labels] = clouds();
  const ClassifierFitOptions options{.ridge = 1e-2};
  const ClassifierFit fit = fit_classifier(features, labels, 3, options, silent_observer());
  const Matrix logits = fit.classifier.logits(features);
  const auto rows = static_cast<double>(features.rows());
  for (std::int64_t c = 0; c < 3; ++c) {
    double bias_sum = 0.0;
    std::vector<double> sums(5);
    std::vector<double> sizes(5);
    for (std::int64_t i = 0; i < features.rows(); ++i) {
      double total = 0.0;
      for (std::int64_t k = 0; k < 3; ++k) {
        total += std::exp(static_cast<double>(logits(i, k)) - logits(i, c));
      }
      const double residual = 1.0 / total - (labels[static_cast<std::size_t>(i)] == c ? 1.0 : 0.0);
      bias_sum += residual / rows;
      for (std::int64_t d = 0; d < 5; ++d) {
        const double x = features(i, d);
        sums[static_cast<std::size_t>(d)] += residual * x / rows;
        sizes[static_cast<std::size_t>(d)] += std::abs(x) / rows;
      }
    }
    EXPECT_NEAR(bias_sum, 0.0, 1e-5);
    for (std::size_t d = 0; d < 5; ++d) {
      const double expected = -options.ridge * fit.classifier.weight(c, static_cast<std::int64_t>(d));
      // Logits pass through float: residuals are right to 1e-5, times the feature's own size. The gradient is not 0 but
      // what the fit says of it.
      EXPECT_NEAR(sums[d], expected, 1e-5 * sizes[d] + fit.gradient_norm);
    }
    // The gradient's 1e-5 over the ridge of 1e-2, times the feature's size of 7.
    EXPECT_NEAR(fit.classifier.weight(c, 4), 0.0F, 7e-3) << "a constant feature carries nothing beside the bias";
  }
  EXPECT_LT(fit.gradient_norm, 1e-5);
}

TEST(ClassifierFit, SeparatesTheClouds) {
  const auto [features, labels] = clouds();
  const ClassifierFit fit = fit_classifier(features, labels, 3, {}, silent_observer());
  // The Bayes rule for three unit clouds at mutual distance 1.5 sqrt(2) is right for about 0.75 of the points.
  EXPECT_GT(accuracy(fit.classifier, features, labels), 0.7);
  EXPECT_LT(fit.loss, std::log(3.0));
  EXPECT_GT(fit.iterations, 1);
}

TEST(ClassifierFit, SameBitsForOneAndTwoThreads) {
  const auto [features, labels] = clouds();
  EXPECT_EQ(fit_classifier(features, labels, 3, {.threads = 1}, silent_observer()).classifier,
            fit_classifier(features, labels, 3, {.threads = 2}, silent_observer()).classifier);
}

TEST(ClassifierFit, TooFewIterationsAreAFailureAndBadInputMisuse) {
  const auto [features, labels] = clouds();
  EXPECT_THROW(fit_classifier(features, labels, 3, {.max_iterations = 1}, silent_observer()), Failure);
  EXPECT_THROW(fit_classifier(features, labels, 2, {}, silent_observer()), Misuse);
  EXPECT_THROW(fit_classifier(features, std::vector<std::int64_t>{1}, 3, {}, silent_observer()), Misuse);
  EXPECT_THROW(fit_classifier(features, labels, 3, {.ridge = 0.0}, silent_observer()), Misuse);
}

class InterruptAtOnce : public Observer {
 public:
  [[nodiscard]] bool interrupted() const override { return true; }
};

TEST(ClassifierFit, StopsWhenInterrupted) {
  const auto [features, labels] = clouds();
  InterruptAtOnce observer;
  EXPECT_THROW(fit_classifier(features, labels, 3, {}, observer), Interrupted);
}

}  // namespace
}  // namespace vaeguard::training
