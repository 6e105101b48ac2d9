// Metrics of a cell, per image, then as estimates over references.
#include "vaeguard/measures/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "vaeguard/energy/posterior.h"
#include "vaeguard/mcmc/diagnostics.h"
#include "vaeguard/measures/reconstruction_error.h"
#include "vaeguard/measures/vote.h"
#include "vaeguard/metrics/accuracy.h"
#include "vaeguard/metrics/calibration.h"
#include "vaeguard/metrics/catalogue.h"
#include "vaeguard/metrics/image_metrics.h"
#include "vaeguard/metrics/intervals.h"
#include "vaeguard/metrics/latent.h"
#include "vaeguard/metrics/ms_ssim.h"

namespace vaeguard::measures {
namespace {

// The median over images; NaN where there is none or a part of them is unknown.
double median(std::vector<double> values) {
  if (values.empty() || std::ranges::any_of(values, [](double value) { return std::isnan(value); })) {
    return std::nan("");
  }
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::ranges::nth_element(values, middle);
  return *middle;
}

// What is wrong with the chains of the median image.
std::vector<std::string> chain_warnings(const defences::Inference& inference) {
  if (inference.chains == 0) {
    return {};
  }
  const auto sum = [](const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); };
  const auto chains = static_cast<double>(inference.chains);
  return mcmc::warnings({.chains = inference.chains,
                         .draws = static_cast<std::int64_t>(median(inference.kept) / chains),
                         .rhat = median(inference.rhat),
                         .bulk_ess = median(inference.bulk_ess),
                         .tail_ess = median(inference.tail_ess),
                         .relative_mcse = median(inference.relative_mcse),
                         .e_bfmi = median(inference.e_bfmi),
                         .acceptance = median(inference.acceptance),
                         .divergent_share = sum(inference.divergences) / sum(inference.transitions),
                         .exact = inference.exact});
}

class CellMeasurer {
 public:
  CellMeasurer(const Subject& subject, const References& references, const Outcome& outcome,
               const Measurement& prototype, int threads)
      : subject_(subject), references_(references), outcome_(outcome), prototype_(prototype), threads_(threads) {
    prototype_.gradients = outcome.inference.gradients;
    prototype_.seconds = outcome.seconds;
    x_ref_ = repeat_rows(references.images.pixels, outcome.restarts);
    prepare_draws();
  }

  CellRecords run() {
    const defences::Inference& inference = outcome_.inference;
    const Matrix mean_ref = repeat_rows(references_.encoding.mean, outcome_.restarts);
    const Matrix mean_rec_ref = repeat_rows(references_.mean_reconstruction, outcome_.restarts);
    measure_protocol("draw", draw_ref_, inference.draw, draw_rec_ref_, decode(inference.draw));
    measure_protocol("mean", mean_ref, inference.mean, mean_rec_ref, inference.mean_reconstruction);
    if (!inference.reencoded.empty()) {
      measure_protocol("reencoded", mean_ref, inference.reencoded, mean_rec_ref, decode(inference.reencoded));
    }
    if (!inference.draws.empty()) {
      measure_vote();
      add_if_known("reconstruction_error", reconstruction_error(subject_.vae, inference, threads_));
    }
    if (prototype_.defence == "none") {
      measure_attack();
    }
    add_if_known("acceptance", inference.acceptance);
    add_if_known("step_size", inference.step_size);
    add_if_known("divergences", inference.divergences);
    add_if_known("energy_drop", inference.energy_drop);
    add_if_known("radius_found", inference.radius);
    add_if_known("touched", inference.touched);
    if (prototype_.defence != "none") {
      add("mean", "encoder_shift",
          metrics::latent_distance(inference.mean, subject_.vae.encode(outcome_.adversarial, threads_).mean));
    }
    add_if_known("rhat", inference.rhat);
    add_if_known("bulk_ess", inference.bulk_ess);
    add_if_known("tail_ess", inference.tail_ess);
    add_if_known("relative_mcse", inference.relative_mcse);
    add_if_known("e_bfmi", inference.e_bfmi);
    add_if_known("gradients_spent", inference.spent);
    add_if_known("draws_kept", inference.kept);
    for (std::string& sentence : chain_warnings(inference)) {
      records_.notes.push_back({prototype_.cell, std::move(sentence)});
    }
    for (const defences::Snapshot& snapshot : inference.snapshots) {
      add_points("draw", snapshot.gradients, draw_rec_ref_, decode(snapshot.latent), snapshot.latent);
      if (!snapshot.mean_reconstruction.empty()) {
        add_points("mean", snapshot.gradients, mean_rec_ref, snapshot.mean_reconstruction, snapshot.mean);
      }
    }
    return std::move(records_);
  }

 private:
  [[nodiscard]] ImageShape shape() const { return subject_.vae.image(); }
  [[nodiscard]] Matrix decode(const Matrix& latents) const { return subject_.vae.decode(latents, threads_); }

  [[nodiscard]] std::vector<std::int64_t> repeated(const std::vector<std::int64_t>& of_references) const {
    std::vector<std::int64_t> result;
    for (const std::int64_t value : of_references) {
      result.insert(result.end(), static_cast<std::size_t>(outcome_.restarts), value);
    }
    return result;
  }

  void prepare_draws() {
    std::vector<Key> keys;
    for (const std::int64_t index : references_.index) {
      for (std::int64_t r = 0; r < outcome_.restarts; ++r) {
        keys.push_back(
            references_.draw_key.fold(static_cast<std::uint64_t>(index)).fold(static_cast<std::uint64_t>(r)));
      }
    }
    draw_ref_ = subject_.vae.sample(repeat_rows(references_.images.pixels, outcome_.restarts),
                                    {repeat_rows(references_.encoding.mean, outcome_.restarts),
                                     repeat_rows(references_.encoding.log_variance, outcome_.restarts)},
                                    keys);
    draw_rec_ref_ = decode(draw_ref_);
  }

  void measure_protocol(std::string_view protocol, const Matrix& z_ref, const Matrix& z, const Matrix& rec_ref,
                        const Matrix& rec) {
    add(protocol, "ms_ssim_kuzina22", metrics::ms_ssim_kuzina22(rec_ref, rec, shape()));
    add(protocol, "ms_ssim_wang03", metrics::ms_ssim_wang03(rec_ref, rec, shape()));
    const auto predicted = subject_.classifier.predict(z);
    add(protocol, "agreement", metrics::same_class(predicted, references_.prediction));
    add(protocol, "label_accuracy", metrics::same_class(predicted, references_.images.labels));
    measure_probabilities(protocol, subject_.classifier.probabilities(z));
    add(protocol, "mse255", metrics::mse255(rec, x_ref_));
    add(protocol, "latent_distance", metrics::latent_distance(z, z_ref));
    const energy::PosteriorEnergy energy(subject_.vae, x_ref_);
    auto ratio = values_of(energy, z, threads_);
    const auto reference = values_of(energy, z_ref, threads_);
    std::ranges::transform(ratio, reference, ratio.begin(), std::minus<>{});
    add(protocol, "log_posterior_ratio", ratio);
  }

  // Whether the probabilities of classes mean what they say.
  void measure_probabilities(std::string_view protocol, const Matrix& probabilities) {
    const std::vector<std::int64_t> labels = repeated(references_.images.labels);
    add(protocol, "brier_score", metrics::brier_score(probabilities, labels));
    add(protocol, "negative_log_score", metrics::negative_log_score(probabilities, labels));
    add_estimate(fmt::format("{}/mean", protocol), "calibration_error",
                 metrics::calibration_error(probabilities, labels, outcome_.restarts));
  }

  void measure_vote() {
    const Vote votes = vote(subject_.classifier, outcome_.inference);
    add("vote", "agreement", metrics::same_class(votes.winners, references_.prediction));
    add("vote", "label_accuracy", metrics::same_class(votes.winners, references_.images.labels));
    measure_probabilities("vote", votes.probabilities);
    add_if_known("probability_error", votes.error, "vote");
  }

  // How strong the attack is, whatever the defence.
  void measure_attack() {
    const models::Encoding attacked = subject_.vae.encode(outcome_.adversarial, threads_);
    add("mean", "skl",
        metrics::symmetric_kl(attacked.mean, attacked.log_variance,
                              repeat_rows(references_.encoding.mean, outcome_.restarts),
                              repeat_rows(references_.encoding.log_variance, outcome_.restarts)));
    add("mean", "input_ms_ssim_kuzina22", metrics::ms_ssim_kuzina22(x_ref_, outcome_.adversarial, shape()));
  }

  void add_if_known(std::string_view metric, const std::vector<double>& values, std::string_view protocol = "mean") {
    // Too few draws leave some images' statistics unknown, and then their mean is.
    if (!values.empty() && std::ranges::none_of(values, [](double value) { return std::isnan(value); })) {
      add(protocol, metric, values);
    }
  }

  void add(std::string_view protocol, std::string_view metric, const std::vector<double>& values) {
    const metrics::MetricEntry& entry = metrics::catalogue().find(metric);
    for (const auto& [restarts, name] :
         {std::pair{metrics::Restarts::mean, "mean"}, {metrics::Restarts::worst, "worst"}}) {
      add_estimate(fmt::format("{}/{}", protocol, name), metric,
                   metrics::estimate_by_reference(values, outcome_.restarts, restarts, entry.higher_is_better));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      records_.items.push_back({prototype_.cell, std::string(protocol), std::string(metric), row / outcome_.restarts,
                                row % outcome_.restarts, values[i]});
    }
  }

  void add_estimate(std::string protocol, std::string_view metric, const metrics::Estimate& estimate) {
    Measurement m = prototype_;
    m.protocol = std::move(protocol);
    m.metric = metric;
    m.value = estimate.value;
    m.standard_error = estimate.standard_error;
    m.n = estimate.n;
    records_.measurements.push_back(std::move(m));
  }

  void add_points(std::string_view protocol, double gradients, const Matrix& rec_ref, const Matrix& rec,
                  const Matrix& z) {
    add_point(protocol, "ms_ssim_kuzina22", gradients, metrics::ms_ssim_kuzina22(rec_ref, rec, shape()));
    add_point(protocol, "agreement", gradients,
              metrics::same_class(subject_.classifier.predict(z), references_.prediction));
  }

  void add_point(std::string_view protocol, const char* metric, double gradients, const std::vector<double>& values) {
    const auto estimate = metrics::estimate_by_reference(values, outcome_.restarts, metrics::Restarts::mean, true);
    records_.curves.push_back({prototype_.cell, std::string(protocol), metric, gradients, estimate.value,
                               estimate.standard_error, estimate.n});
  }

  const Subject& subject_;
  const References& references_;
  const Outcome& outcome_;
  Measurement prototype_;
  int threads_;
  Matrix x_ref_;
  Matrix draw_ref_;
  Matrix draw_rec_ref_;
  CellRecords records_;
};

}  // namespace

References make_references(const Subject& subject, data::Images images, std::vector<std::int64_t> index, Key draw_key,
                           int threads) {
  References references{std::move(index), std::move(images), {}, {}, {}, draw_key};
  references.encoding = subject.vae.encode(references.images.pixels, threads);
  references.mean_reconstruction = subject.vae.decode(references.encoding.mean, threads);
  references.prediction = subject.classifier.predict(references.encoding.mean);
  return references;
}

CellRecords measure(const Subject& subject, const References& references, const Outcome& outcome,
                    const Measurement& prototype, int threads) {
  return CellMeasurer(subject, references, outcome, prototype, threads).run();
}

}  // namespace vaeguard::measures
