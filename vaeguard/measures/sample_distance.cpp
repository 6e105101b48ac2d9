// Draws from the prior, decoded, and the moments of their features.
#include "vaeguard/measures/sample_distance.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vaeguard/networks/network.h"
#include "vaeguard/training/feature_fit.h"

namespace vaeguard::measures {
namespace {

class ClassifierFeatures : public metrics::FeatureExtractor {
 public:
  explicit ClassifierFeatures(const networks::LayerGraph& graph) : network_(networks::compile(graph)) {}
  [[nodiscard]] std::vector<metrics::Features> extract(const Matrix& images, const ImageShape& /*shape*/, int threads,
                                                       Observer& /*observer*/) const override {
    return {{"frechet_classifier_64", networks::forward_all(*network_, images, threads)}};
  }

 private:
  std::shared_ptr<const networks::Network> network_;
};

}  // namespace

std::unique_ptr<metrics::FeatureExtractor> learn_features(const data::Dataset& dataset, int threads,
                                                          Observer& observer) {
  return std::make_unique<ClassifierFeatures>(
      training::fit_features(dataset, Key(0).fold("features"), {.threads = threads}, observer).features);
}

SampleDistance::SampleDistance(std::shared_ptr<const metrics::FeatureExtractor> extractor, const data::Dataset& dataset,
                               std::int64_t images, int threads, Observer& observer)
    : extractor_(std::move(extractor)),
      shape_(dataset.shape),
      images_(std::min(images, dataset.test.pixels.rows())),
      test_(moments(dataset.test.pixels.slice(0, images_), threads, observer)) {}

std::vector<SampleDistance::Moments> SampleDistance::moments(const Matrix& images, int threads,
                                                             Observer& observer) const {
  std::vector<Moments> result;
  for (metrics::Features& features : extractor_->extract(images, shape_, threads, observer)) {
    result.push_back({std::move(features.metric), metrics::feature_moments(features.values)});
  }
  return result;
}

std::vector<Measurement> SampleDistance::measure(const models::Vae& vae, Key key, const Measurement& prototype,
                                                 int threads, Observer& observer) const {
  Matrix base(images_, vae.latent_size());
  for (std::int64_t i = 0; i < base.rows(); ++i) {
    fill_normal(key.fold(static_cast<std::uint64_t>(i)), base.row(i));
  }
  const auto samples = moments(vae.decode(vae.generative().draw(base, threads), threads), threads, observer);
  std::vector<Measurement> result;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    Measurement m = prototype;
    m.estimate = "mean";
    m.restarts = "mean";
    m.metric = samples[i].metric;
    m.value = metrics::frechet_distance(samples[i].of, test_[i].of);
    m.standard_error = std::nan("");
    m.n = images_;
    result.push_back(std::move(m));
  }
  return result;
}

}  // namespace vaeguard::measures
