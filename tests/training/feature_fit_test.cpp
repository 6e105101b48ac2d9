// Features of a small classifier: learned, the same for any number of threads, and sensitive to what is drawn.
#include "vaeguard/training/feature_fit.h"

#include <gtest/gtest.h>

#include "tests/expect_misuse.h"
#include "vaeguard/data/synthetic.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::training {
namespace {

const data::Dataset& shapes() {
  static const data::Dataset dataset = data::synthetic({.train = 1000, .validation = 10, .test = 200}, Key(1));
  return dataset;
}

TEST(FeatureFit, LearnsToTellTheClassesApart) {
  const FeatureFit fit = fit_features(shapes(), Key(2), {.epochs = 4, .threads = 2}, silent_observer());
  EXPECT_GT(fit.test_accuracy, 0.6);  // by chance 0.1
  EXPECT_EQ(fit.features.output().size(), kFeatures);
  const Matrix features = networks::forward_all(*networks::compile(fit.features), shapes().test.pixels, 1);
  EXPECT_TRUE(std::ranges::all_of(features.values(), [](float value) { return value >= 0.0F; }));
}

TEST(FeatureFit, GivesTheSameForAnyNumberOfThreads) {
  const FeatureFitOptions once{.epochs = 1, .batch = 40};
  const FeatureFit one = fit_features(shapes(), Key(2), once, silent_observer());
  FeatureFitOptions options = once;
  options.threads = 3;
  const FeatureFit three = fit_features(shapes(), Key(2), options, silent_observer());
  EXPECT_EQ(one.features.parameters, three.features.parameters);
  EXPECT_EQ(one.test_accuracy, three.test_accuracy);
  EXPECT_NE(fit_features(shapes(), Key(3), once, silent_observer()).features.parameters, one.features.parameters);
}

TEST(FeatureFit, RefusesImpossibleOptionsAndImages) {
  expect_misuse([] { validate(FeatureFitOptions{.epochs = 0}); },
                {"epochs, batch and threads must be at least 1, got 0"});
  expect_misuse([] { validate(FeatureFitOptions{.learning_rate = 0.0}); }, {"learning_rate must be finite and > 0"});
  data::Dataset flat = shapes();
  flat.shape = {1, 7, 112};
  expect_misuse([&] { static_cast<void>(fit_features(flat, Key(1), {}, silent_observer())); },
                {"images must have sides of 8 or more", "got 7 x 112"});
  data::Dataset unlabelled = shapes();
  unlabelled.classes = 0;
  expect_misuse([&] { static_cast<void>(fit_features(unlabelled, Key(1), {}, silent_observer())); },
                {"two classes or more", "0 classes"});
}

TEST(FeatureFit, TakesImagesThatAreNotSquare) {
  data::Dataset wide = shapes();  // the same pixels in rows of another length
  wide.shape = {1, 14, 56};
  const FeatureFit fit = fit_features(wide, Key(2), {.epochs = 4, .threads = 2}, silent_observer());
  EXPECT_EQ(fit.features.output().size(), kFeatures);
  EXPECT_GT(fit.test_accuracy, 0.5);  // by chance 0.1
}

}  // namespace
}  // namespace vaeguard::training
