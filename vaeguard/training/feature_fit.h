// A small image classifier whose last hidden layer serves as features, for images on which Inception's say little.
#pragma once

#include <cstdint>

#include "vaeguard/base/observer.h"
#include "vaeguard/base/random.h"
#include "vaeguard/data/dataset.h"
#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::training {

struct FeatureFitOptions {
  int epochs = 2;
  std::int64_t batch = 64;
  double learning_rate = 1e-3;  // initial; falls to 0 along half a cosine
  int threads = 1;
};

/// Throws Misuse naming the option.
void validate(const FeatureFitOptions& options);

/// The number of features.
inline constexpr std::int64_t kFeatures = 64;

struct FeatureFit {
  networks::LayerGraph features;  // image -> kFeatures non-negative numbers
  double test_accuracy = 0.0;     // of the whole classifier
};

/// Trains three stride-2 convolutions (32, 64, 128 channels), a layer of kFeatures and a linear one to the classes, all
/// with ReLU but the last, by Adam on cross-entropy from `key`. Gradients are summed in fixed chunks, so that the
/// number of threads does not matter. Throws Misuse unless images have sides of 8 or more and there are two
/// classes.
FeatureFit fit_features(const data::Dataset& dataset, Key key, const FeatureFitOptions& options, Observer& observer);

}  // namespace vaeguard::training
