// Detection rates from the scores of single images.
#include "vaeguard/measures/detect.h"

#include <cmath>

#include "vaeguard/metrics/detection.h"

namespace vaeguard::measures {
namespace {

struct Columns {
  std::vector<double> values;
  std::vector<std::int64_t> references;

  [[nodiscard]] metrics::Scores scores() const { return {values, references}; }
};

// A score of NaN carries no information, so it never makes an image suspicious.
Columns columns_of(const std::vector<Item>& items) {
  Columns columns;
  for (const Item& item : items) {
    columns.values.push_back(std::isnan(item.value) ? -std::numeric_limits<double>::infinity() : item.value);
    columns.references.push_back(item.reference);
  }
  return columns;
}

}  // namespace

const std::vector<std::string_view>& detection_scores() {
  static const std::vector<std::string_view> scores{"energy_drop", "touched", "encoder_shift"};
  return scores;
}

std::vector<Measurement> measure_detection(std::string_view score, const std::vector<Item>& clean,
                                           const std::vector<Item>& attacked, const Measurement& prototype) {
  if (clean.empty() || attacked.empty()) {
    return {};
  }
  const Columns negatives = columns_of(clean);
  const Columns positives = columns_of(attacked);
  std::vector<Measurement> result;
  const auto add = [&](const char* metric, const metrics::Detection& detection) {
    Measurement m = prototype;
    m.estimate = "mean";
    m.restarts = "mean";
    m.score = score;
    m.metric = metric;
    m.value = detection.estimate.value;
    m.standard_error = detection.estimate.standard_error;
    m.n = detection.estimate.n;
    result.push_back(std::move(m));
  };
  add("auroc", metrics::auroc(negatives.scores(), positives.scores()));
  add("true_positives_at_1_percent", metrics::true_positive_rate(negatives.scores(), positives.scores()));
  return result;
}

}  // namespace vaeguard::measures
