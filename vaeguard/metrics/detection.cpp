// Sweeps over sorted scores, and sums over references for the standard errors.
#include "vaeguard/metrics/detection.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "vaeguard/base/distributions.h"
#include "vaeguard/base/error.h"

namespace vaeguard::metrics {
namespace {

constexpr std::string_view kPlace = "metrics.detection";

void check_values(std::string_view name, std::span<const double> values) {
  if (values.empty()) {
    misuse(kPlace, "{} must hold at least one score, got none", name);
  }
  const auto bad = std::ranges::find_if(values, [](double value) { return std::isnan(value); });
  if (bad != values.end()) {
    misuse(kPlace, "{} must hold no NaN, got one at {}", name, bad - values.begin());
  }
}

void check(std::string_view name, const Scores& scores) {
  check_values(name, scores.values);
  if (scores.references.size() != scores.values.size()) {
    misuse(kPlace, "{} must name a reference for each of {} scores, got {}", name, scores.values.size(),
           scores.references.size());
  }
}

std::int64_t count_references(const Scores& scores) {
  return static_cast<std::int64_t>(std::set(scores.references.begin(), scores.references.end()).size());
}

/// For each of `values` the share of `others` below it, ties counted half.
std::vector<double> shares_below(std::span<const double> values, std::span<const double> others) {
  std::vector<double> sorted(others.begin(), others.end());
  std::ranges::sort(sorted);
  std::vector<double> shares;
  shares.reserve(values.size());
  for (const double value : values) {
    const auto [from, to] = std::equal_range(sorted.begin(), sorted.end(), value);
    const auto twice = static_cast<double>((from - sorted.begin()) + (to - sorted.begin()));
    shares.push_back(0.5 * twice / static_cast<double>(sorted.size()));
  }
  return shares;
}

/// Sums over each reference of value - centre.
std::map<std::int64_t, double> sums_by_reference(const std::vector<double>& values,
                                                 std::span<const std::int64_t> references, double centre) {
  std::map<std::int64_t, double> sums;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sums[references[i]] += values[i] - centre;
  }
  return sums;
}

/// n / (n - 1) of n references; NaN for one, which has no spread to estimate.
double unbiased(std::size_t references) {
  return references > 1 ? static_cast<double>(references) / static_cast<double>(references - 1)
                        : std::numeric_limits<double>::quiet_NaN();
}

/// Obuchowski's variance of the AUROC `area` in sums over references: with the placements v of the attacked among the
/// clean scores and w of the clean among the attacked ones, that of mean(v) + mean(w), both centred.
double area_variance(const Scores& clean, const Scores& attacked, double area) {
  const auto v = sums_by_reference(shares_below(attacked.values, clean.values), attacked.references, area);
  auto placements = shares_below(clean.values, attacked.values);
  std::ranges::for_each(placements, [](double& share) { share = 1.0 - share; });
  const auto w = sums_by_reference(placements, clean.references, area);
  const auto squares = [](const std::map<std::int64_t, double>& sums) {
    double sum = 0.0;
    for (const auto& [reference, value] : sums) {
      sum += value * value;
    }
    return unbiased(sums.size()) * sum;
  };
  double products = 0.0;
  std::size_t all = v.size();
  for (const auto& [reference, value] : w) {
    const auto both = v.find(reference);
    all += both == v.end() ? 1 : 0;
    products += both == v.end() ? 0.0 : both->second * value;
  }
  const auto m = static_cast<double>(attacked.values.size());
  const auto n = static_cast<double>(clean.values.size());
  return squares(v) / (m * m) + squares(w) / (n * n) + 2.0 * unbiased(all) * products / (m * n);
}

/// Wilson's interval at the effective sample size A (1 - A) / standard_error^2. Near perfect separation the standard
/// error depends on the few images that are out of order, (1 - A) n of them, and is often far too small. With so few,
/// the size is moved back to n: halfway, on a log scale, at 0.2 of them. That suffices for simulated intervals at A =
/// 0.98 with 20 to 100 references to have their nominal coverage.
Interval area_interval(const Estimate& estimate) {
  constexpr double kHalfway = 0.2;
  const auto n = static_cast<double>(estimate.n);
  const double spread = estimate.value * (1.0 - estimate.value);
  const double variance = estimate.standard_error * estimate.standard_error;
  const double surplus = variance > 0.0 ? std::max(1.0, spread / variance / n) : 1.0;
  const double out_of_order = n * std::min(estimate.value, 1.0 - estimate.value);
  const double size = n * std::pow(surplus, out_of_order / (out_of_order + kHalfway));
  return interval95({estimate.value, std::sqrt(spread / size), estimate.n}, true);
}

/// The share of flagged scores, updated one score at a time, with its clustered standard error: that of a ratio of sums
/// over references.
class FlaggedShare {
 public:
  explicit FlaggedShare(const Scores& scores) : size_(static_cast<double>(scores.values.size())) {
    for (const std::int64_t reference : scores.references) {
      references_[reference].size += 1.0;
    }
    for (const auto& [reference, of] : references_) {
      sizes_squared_ += of.size * of.size;
    }
  }

  void flag(std::int64_t reference) {
    Reference& of = references_[reference];
    flagged_squared_ += 2.0 * of.flagged + 1.0;
    product_ += of.size;
    of.flagged += 1.0;
    flagged_ += 1.0;
  }

  [[nodiscard]] Estimate estimate() const {
    const double share = flagged_ / size_;
    // sum over references of (flagged - share * size)^2, which is never negative in exact arithmetic
    const double squares = std::max(0.0, flagged_squared_ - 2.0 * share * product_ + share * share * sizes_squared_);
    return {share, std::sqrt(unbiased(references_.size()) * squares) / size_,
            static_cast<std::int64_t>(references_.size())};
  }

 private:
  struct Reference {
    double size = 0.0;
    double flagged = 0.0;
  };
  std::map<std::int64_t, Reference> references_;
  double size_;
  double sizes_squared_ = 0.0;
  double flagged_ = 0.0;
  double flagged_squared_ = 0.0;
  double product_ = 0.0;
};

struct Score {
  double value = 0.0;
  std::int64_t reference = 0;
  bool attacked = false;
};

/// For thresholds in descending order: flag(score) for each new score at or above it, then visit(threshold).
template <typename Flag, typename Visit>
void sweep(std::vector<Score> scores, Flag&& flag, Visit&& visit) {
  std::ranges::sort(scores, std::greater{}, &Score::value);
  visit(std::numeric_limits<double>::infinity());
  for (std::size_t i = 0; i < scores.size();) {
    const double threshold = scores[i].value;
    for (; i < scores.size() && scores[i].value == threshold; ++i) {
      flag(scores[i]);
    }
    visit(threshold);
  }
}

double combined(double a, double b) { return std::sqrt(a * a + b * b); }

}  // namespace

std::vector<RocPoint> roc_curve(std::span<const double> clean, std::span<const double> attacked) {
  check_values("clean", clean);
  check_values("attacked", attacked);
  std::vector<Score> scores;
  std::ranges::for_each(clean, [&](double value) { scores.push_back({value, 0, false}); });
  std::ranges::for_each(attacked, [&](double value) { scores.push_back({value, 0, true}); });
  std::vector<RocPoint> curve;
  double false_positives = 0.0;
  double true_positives = 0.0;
  sweep(
      std::move(scores), [&](const Score& score) { (score.attacked ? true_positives : false_positives) += 1.0; },
      [&](double threshold) {
        curve.push_back({threshold, false_positives / static_cast<double>(clean.size()),
                         true_positives / static_cast<double>(attacked.size())});
      });
  return curve;
}

double auroc(std::span<const double> clean, std::span<const double> attacked) {
  check_values("clean", clean);
  check_values("attacked", attacked);
  double sum = 0.0;
  for (const double share : shares_below(attacked, clean)) {
    sum += share;
  }
  return sum / static_cast<double>(attacked.size());
}

Detection auroc(const Scores& clean, const Scores& attacked) {
  check("clean", clean);
  check("attacked", attacked);
  const double area = auroc(clean.values, attacked.values);
  // Rounding may make a zero variance slightly negative; the NaN of a single reference stays.
  const double variance = area_variance(clean, attacked, area);
  const Estimate estimate{area, std::sqrt(variance < 0.0 ? 0.0 : variance),
                          std::min(count_references(clean), count_references(attacked))};
  return {estimate, area_interval(estimate)};
}

Detection true_positive_rate(const Scores& clean, const Scores& attacked, double false_positive_rate) {
  check("clean", clean);
  check("attacked", attacked);
  if (!(false_positive_rate >= 0.0 && false_positive_rate <= 1.0)) {
    misuse(kPlace, "false_positive_rate must be in [0, 1], got {}", false_positive_rate);
  }
  std::vector<Score> scores;
  for (std::size_t i = 0; i < clean.values.size(); ++i) {
    scores.push_back({clean.values[i], clean.references[i], false});
  }
  for (std::size_t i = 0; i < attacked.values.size(); ++i) {
    scores.push_back({attacked.values[i], attacked.references[i], true});
  }
  FlaggedShare false_positives(clean);
  FlaggedShare true_positives(attacked);
  Estimate at_threshold;
  Interval plausible{1.0, 0.0};  // the true positive rates at thresholds that may be the right one
  sweep(
      std::move(scores),
      [&](const Score& score) { (score.attacked ? true_positives : false_positives).flag(score.reference); },
      [&](double) {
        const Estimate alarms = false_positives.estimate();
        const Estimate rate = true_positives.estimate();
        const bool chosen = alarms.value <= false_positive_rate;
        if (chosen) {
          at_threshold = rate;
        }
        const Interval interval = interval95(alarms, true);
        if (interval.low <= false_positive_rate && false_positive_rate <= interval.high) {
          plausible = {std::min(plausible.low, rate.value), std::max(plausible.high, rate.value)};
        }
      });
  const double value = at_threshold.value;
  plausible = {std::min(plausible.low, value), std::max(plausible.high, value)};
  const Interval sampled = interval95(at_threshold, true);
  const double width = 2.0 * normal_quantile(0.975);  // width of a normal's 95 % interval in standard errors
  return {{value, combined(at_threshold.standard_error, (plausible.high - plausible.low) / width),
           std::min(count_references(clean), count_references(attacked))},
          {std::max(0.0, value - combined(value - sampled.low, value - plausible.low)),
           std::min(1.0, value + combined(sampled.high - value, plausible.high - value))}};
}

}  // namespace vaeguard::metrics
