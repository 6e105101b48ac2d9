// How well a score separates attacked images from clean ones: ROC curve, AUROC, detection rate at a false alarm rate.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/metrics/intervals.h"

namespace vaeguard::metrics {

/// Scores of images, higher for more suspicious ones. Infinite scores are scores; NaN is misuse.
struct Scores {
  std::span<const double> values;
  /// The reference image that each score belongs to. Equal numbers mark dependent scores, also between clean and
  /// attacked ones: the restarts of one reference, a clean image and its attacks.
  std::span<const std::int64_t> references;
};

/// An image is flagged if its score is at least `threshold`.
struct RocPoint {
  double threshold = 0.0;
  double false_positive_rate = 0.0;  // share of the clean images that are flagged
  double true_positive_rate = 0.0;   // share of the attacked images that are flagged
};

/// An estimate and its 95 % interval; n is the smaller of the numbers of clean and attacked references.
struct Detection {
  Estimate estimate;
  Interval interval;
};

/// From (infinity, 0, 0), where nothing is flagged, to all flagged: one point per distinct score, in descending order
/// of thresholds. Both spans need at least one score.
std::vector<RocPoint> roc_curve(std::span<const double> clean, std::span<const double> attacked);

/// P(attacked score > clean score) + P(equal) / 2 over all pairs: the area under the ROC curve.
double auroc(std::span<const double> clean, std::span<const double> attacked);

/// The same with DeLong's standard error for clustered data (Obuchowski, "Nonparametric analysis of clustered ROC curve
/// data", Biometrics 53, 1997) and Wilson's interval at the effective sample size: the variance of an AUROC is at most
/// A (1 - A) / n (Birnbaum and Klose 1957), as for a proportion, so perfect separation does not look certain, and the
/// effective size is moved towards n if separation is nearly perfect.
Detection auroc(const Scores& clean, const Scores& attacked);

/// The greatest true positive rate among the curve's points whose false positive rate is at most `false_positive_rate`,
/// in [0, 1]. With fewer than 1 / rate clean images that is the share above all clean scores. The interval accounts for
/// two sources of error: the attacked images are a sample (Wilson, clustered), and so is the threshold (the rates at
/// all thresholds whose false positive rate is compatible with the wanted one). The two are combined by the method of
/// variance estimates recovery (Zou and Donner 2008), which assumes independence. With few clean references, at 1 %
/// fewer than 380, the threshold is unbounded and the interval reaches down to 0.
Detection true_positive_rate(const Scores& clean, const Scores& attacked, double false_positive_rate = 0.01);

}  // namespace vaeguard::metrics
