// The Frechet distances of features between a model's samples and test images.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vaeguard/data/dataset.h"
#include "vaeguard/measures/record.h"
#include "vaeguard/metrics/feature_extractor.h"
#include "vaeguard/metrics/frechet.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::measures {

/// The features of a small classifier of the data set (training/feature_fit.h), trained with a fixed key so that all
/// plans share them. Their metric is frechet_classifier_64, a proxy for FID.
std::unique_ptr<metrics::FeatureExtractor> learn_features(const data::Dataset& dataset, int threads,
                                                          Observer& observer);

/// A set of test images with which several models are compared.
class SampleDistance {
 public:
  /// Computes the moments of the features of the first `images` test images.
  SampleDistance(std::shared_ptr<const metrics::FeatureExtractor> extractor, const data::Dataset& dataset,
                 std::int64_t images, int threads, Observer& observer);
  /// The distance from those to as many mean images of draws from the VAE's prior, one measurement for each set of
  /// features. `prototype` gives kind, cell, dataset and model.
  [[nodiscard]] std::vector<Measurement> measure(const models::Vae& vae, Key key, const Measurement& prototype,
                                                 int threads, Observer& observer) const;

 private:
  struct Moments {
    std::string metric;
    metrics::FeatureMoments of;
  };
  [[nodiscard]] std::vector<Moments> moments(const Matrix& images, int threads, Observer& observer) const;

  std::shared_ptr<const metrics::FeatureExtractor> extractor_;
  ImageShape shape_;
  std::int64_t images_;
  std::vector<Moments> test_;
};

}  // namespace vaeguard::measures
