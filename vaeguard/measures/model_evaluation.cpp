// Measuring the model under test.
#include "vaeguard/measures/model_evaluation.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <utility>

namespace vaeguard::measures {

training::ElboEstimate test_elbo(const models::Vae& vae, std::uint64_t seed, const data::Dataset& dataset,
                                 int threads) {
  return training::estimate_elbo(vae, dataset.test.pixels, Key(seed).fold("test elbo"), threads);
}

Key sample_key(std::uint64_t seed) { return Key(seed).fold("prior samples"); }

CellRecords measure_model(const Subject& subject, const plans::Plan& plan, const data::Dataset& dataset,
                          const SampleDistance* samples, const Measurement& prototype, int threads,
                          Observer& observer) {
  CellRecords records;
  Measurement common = prototype;
  common.estimate = "mean";
  common.restarts = "mean";
  const auto add = [&](std::string_view metric, double value, double standard_error, std::int64_t n) {
    Measurement m = common;
    m.metric = metric;
    m.value = value;
    m.standard_error = standard_error;
    m.n = n;
    records.measurements.push_back(std::move(m));
  };
  const auto elbo = test_elbo(subject.vae, plan.seed, dataset, threads);
  add("elbo", elbo.elbo, elbo.standard_error, elbo.images);
  add("reconstruction", elbo.reconstruction, std::nan(""), elbo.images);
  add("divergence", elbo.divergence, std::nan(""), elbo.images);
  const std::int64_t nll_images = std::min(plan.evaluation.nll_images, dataset.test.pixels.rows());
  if (nll_images > 0) {
    const auto nll = training::estimate_likelihood(subject.vae, dataset.test.pixels.slice(0, nll_images),
                                                   static_cast<int>(plan.evaluation.nll_draws),
                                                   Key(plan.seed).fold("nll"), threads, observer);
    add("nll", nll.negative_log_likelihood, nll.standard_error, nll.images);
    const double bits = 1.0 / (std::numbers::ln2 * static_cast<double>(dataset.shape.size()));
    add("bits_per_dimension", bits * nll.negative_log_likelihood, bits * nll.standard_error, nll.images);
  }
  if (samples != nullptr) {
    std::ranges::move(samples->measure(subject.vae, sample_key(plan.seed), common, threads, observer),
                      std::back_inserter(records.measurements));
  }
  if (subject.classifier && !dataset.test.labels.empty()) {
    const auto means = subject.vae.encode(dataset.test.pixels, threads).mean;
    const double accuracy = models::accuracy(*subject.classifier, means, dataset.test.labels);
    const auto n = dataset.test.pixels.rows();
    add("classifier_accuracy", accuracy, std::sqrt(accuracy * (1.0 - accuracy) / static_cast<double>(n)), n);
  }
  return records;
}

}  // namespace vaeguard::measures
