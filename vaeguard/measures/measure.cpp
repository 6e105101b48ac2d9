// Metrics of a cell, per image, then as estimates over references.
#include "vaeguard/measures/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "vaeguard/energy/posterior.h"
#include "vaeguard/mcmc/diagnostics.h"
#include "vaeguard/measures/detect.h"
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

// The median over images; NaN if there are none or any value is unknown.
double median(std::vector<double> values) {
  if (values.empty() || std::ranges::any_of(values, [](double value) { return std::isnan(value); })) {
    return std::nan("");
  }
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::ranges::nth_element(values, middle);
  return *middle;
}

// Warnings about the chains, from the median of each diagnostic over images.
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
  CellMeasurer(const Subject& subject, const References& references, const Outcome& outcome, const CleanScores& clean,
               const Measurement& prototype, int threads)
      : subject_(subject),
        references_(references),
        outcome_(outcome),
        clean_(clean),
        prototype_(prototype),
        threads_(threads) {
    prototype_.gradients = outcome.inference.gradients;
    prototype_.seconds = outcome.seconds;
    x_ref_ = repeat_rows(references.images.pixels, outcome.restarts);
    prepare_draws();
  }

  CellRecords run() {
    const defences::Inference& inference = outcome_.inference;
    const Matrix mean_ref = repeat_rows(references_.encoding.mean, outcome_.restarts);
    const Matrix mean_rec_ref = repeat_rows(references_.mean_reconstruction, outcome_.restarts);
    measure_estimate("draw", draw_ref_, inference.draw, draw_rec_ref_, decode(inference.draw));
    measure_estimate("mean", mean_ref, inference.mean, mean_rec_ref, inference.mean_reconstruction);
    if (!inference.reencoded.empty()) {
      measure_estimate("reencoded", mean_ref, inference.reencoded, mean_rec_ref, decode(inference.reencoded));
    }
    if (!inference.draws.empty()) {
      if (subject_.classifier) {
        measure_vote();
      }
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
    add_if_known("noise_scale", inference.noise);
    if (prototype_.defence != "none") {
      add("mean", "encoder_shift", metrics::latent_distance(inference.mean, outcome_.attacked.encoding.mean));
    }
    add_if_known("rhat", inference.rhat);
    add_if_known("bulk_ess", inference.bulk_ess);
    add_if_known("tail_ess", inference.tail_ess);
    add_if_known("relative_mcse", inference.relative_mcse);
    add_if_known("e_bfmi", inference.e_bfmi);
    add_if_known("gradients_spent", inference.spent);
    add_if_known("draws_kept", inference.kept);
    measure_detection();
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
  // Whether the images are large enough for all levels of the paper's MS-SSIM.
  [[nodiscard]] bool has_levels() const { return std::min(shape().height, shape().width) >= 16; }
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

  void measure_estimate(std::string_view estimate, const Matrix& z_ref, const Matrix& z, const Matrix& rec_ref,
                        const Matrix& rec) {
    if (has_levels()) {
      add(estimate, "ms_ssim_kuzina22", metrics::ms_ssim_kuzina22(rec_ref, rec, shape()));
    }
    add(estimate, "ms_ssim_wang03", metrics::ms_ssim_wang03(rec_ref, rec, shape()));
    if (subject_.classifier) {
      measure_classes(estimate, subject_.classifier->predict(z), subject_.classifier->probabilities(z));
    }
    add(estimate, "mse255", metrics::mse255(rec, x_ref_));
    add(estimate, "latent_distance", metrics::latent_distance(z, z_ref));
    const energy::PosteriorEnergy energy(subject_.vae, x_ref_);
    auto ratio = values_of(energy, z, threads_);
    const auto reference = values_of(energy, z_ref, threads_);
    std::ranges::transform(ratio, reference, ratio.begin(), std::minus<>{});
    add(estimate, "log_posterior_ratio", ratio);
  }

  void measure_classes(std::string_view estimate, const std::vector<std::int64_t>& predicted,
                       const Matrix& probabilities) {
    add(estimate, "agreement", metrics::same_class(predicted, references_.prediction));
    if (!references_.images.labels.empty()) {
      add(estimate, "label_accuracy", metrics::same_class(predicted, references_.images.labels));
      measure_probabilities(estimate, probabilities);
    }
  }

  // Whether the class probabilities are calibrated.
  void measure_probabilities(std::string_view estimate, const Matrix& probabilities) {
    const std::vector<std::int64_t> labels = repeated(references_.images.labels);
    add(estimate, "brier_score", metrics::brier_score(probabilities, labels));
    add(estimate, "negative_log_score", metrics::negative_log_score(probabilities, labels));
    add_estimate(estimate, "mean", "calibration_error",
                 metrics::calibration_error(probabilities, labels, outcome_.restarts));
  }

  void measure_vote() {
    const Vote votes = vote(*subject_.classifier, outcome_.inference);
    measure_classes("vote", votes.winners, votes.probabilities);
    add_if_known("probability_error", votes.error, "vote");
  }

  // How strong the attack is, regardless of the defence.
  void measure_attack() {
    const models::Encoding& attacked = outcome_.attacked.encoding;
    add("mean", "skl",
        metrics::symmetric_kl(attacked.mean, attacked.log_variance,
                              repeat_rows(references_.encoding.mean, outcome_.restarts),
                              repeat_rows(references_.encoding.log_variance, outcome_.restarts)));
    if (has_levels()) {
      add("mean", "input_ms_ssim_kuzina22", metrics::ms_ssim_kuzina22(x_ref_, outcome_.attacked.images, shape()));
    }
  }

  void measure_detection() {
    for (const std::string_view score : detection_scores()) {
      const auto clean = clean_.find(score);
      if (clean == clean_.end()) {
        continue;
      }
      std::vector<Item> attacked;
      std::ranges::copy_if(records_.items, std::back_inserter(attacked),
                           [&](const Item& item) { return item.metric == score && item.estimate == "mean"; });
      std::ranges::move(vaeguard::measures::measure_detection(score, clean->second, attacked, prototype_),
                        std::back_inserter(records_.measurements));
    }
  }

  void add_if_known(std::string_view metric, const std::vector<double>& values, std::string_view estimate = "mean") {
    // With too few draws the statistics of some images are unknown, and so is the mean over images.
    if (!values.empty() && std::ranges::none_of(values, [](double value) { return std::isnan(value); })) {
      add(estimate, metric, values);
    }
  }

  void add(std::string_view estimate, std::string_view metric, const std::vector<double>& values) {
    const metrics::MetricEntry& entry = metrics::catalogue().find(metric);
    for (const auto& [restarts, name] :
         {std::pair{metrics::Restarts::mean, "mean"}, {metrics::Restarts::worst, "worst"}}) {
      add_estimate(estimate, name, metric,
                   metrics::estimate_by_reference(values, outcome_.restarts, restarts, entry.higher_is_better));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      records_.items.push_back({prototype_.cell, std::string(estimate), std::string(metric), row / outcome_.restarts,
                                row % outcome_.restarts, values[i]});
    }
  }

  void add_estimate(std::string_view estimate, std::string_view restarts, std::string_view metric,
                    const metrics::Estimate& of) {
    Measurement m = prototype_;
    m.estimate = estimate;
    m.restarts = restarts;
    m.metric = metric;
    m.value = of.value;
    m.standard_error = of.standard_error;
    m.n = of.n;
    records_.measurements.push_back(std::move(m));
  }

  void add_points(std::string_view estimate, double gradients, const Matrix& rec_ref, const Matrix& rec,
                  const Matrix& z) {
    if (has_levels()) {
      add_point(estimate, "ms_ssim_kuzina22", gradients, metrics::ms_ssim_kuzina22(rec_ref, rec, shape()));
    }
    if (subject_.classifier) {
      add_point(estimate, "agreement", gradients,
                metrics::same_class(subject_.classifier->predict(z), references_.prediction));
    }
  }

  void add_point(std::string_view estimate, const char* metric, double gradients, const std::vector<double>& values) {
    const auto mean = metrics::estimate_by_reference(values, outcome_.restarts, metrics::Restarts::mean, true);
    records_.curves.push_back(
        {prototype_.cell, std::string(estimate), metric, gradients, mean.value, mean.standard_error, mean.n});
  }

  const Subject& subject_;
  const References& references_;
  const Outcome& outcome_;
  const CleanScores& clean_;
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
  if (subject.classifier) {
    references.prediction = subject.classifier->predict(references.encoding.mean);
  }
  return references;
}

Attacked encode_attacked(const models::Vae& vae, Matrix images, int threads) {
  Attacked attacked{std::move(images), {}, {}};
  attacked.encoding = vae.encode(attacked.images, threads);
  attacked.mean_reconstruction = vae.decode(attacked.encoding.mean, threads);
  return attacked;
}

Attacked first_restarts(const Attacked& attacked, std::int64_t restarts, std::int64_t kept) {
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < attacked.images.rows(); ++row) {
    if (row % restarts < kept) {
      rows.push_back(row);
    }
  }
  return {attacked.images.gather(rows),
          {attacked.encoding.mean.gather(rows), attacked.encoding.log_variance.gather(rows)},
          attacked.mean_reconstruction.gather(rows)};
}

CellRecords measure(const Subject& subject, const References& references, const Outcome& outcome,
                    const CleanScores& clean, const Measurement& prototype, int threads) {
  return CellMeasurer(subject, references, outcome, clean, prototype, threads).run();
}

}  // namespace vaeguard::measures
