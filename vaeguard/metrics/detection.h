// How well a score tells attacked images from clean ones: ROC curve, AUROC, detection rate at a false alarm rate.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/metrics/intervals.h"

namespace vaeguard::metrics {

/// Scores of images, higher for more suspicious ones. Infinite scores are scores; NaN is misuse.
struct Scores {
  std::span<const double> values;
  /// The reference image that each score goes back to. Equal numbers mark scores that depend on each other, also
  /// between clean and attacked ones: restarts of one reference, a clean image and its attacks.
  std::span<const std::int64_t> references;
};

/// An image is flagged if its score is at least `threshold`.
struct RocPoint {
  double threshold = 0.0;
  double false_positive_rate = 0.0;  // share of the clean images that are flagged
  double true_positive_rate = 0.0;   // share of the attacked images that are flagged
};

/// An estimate whose n is the lesser of the clean and the attacked references, and its 95 % interval.
struct Detection {
  Estimate estimate;
  Interval interval;
};

/// From (infinity, 0, 0), where nothing is flagged, to all flagged; one point for each distinct score, thresholds
/// falling. Both spans need at least one score.
std::vector<RocPoint> roc_curve(std::span<const double> clean, std::span<const double> attacked);

/// P(attacked score > clean score) + P(equal) / 2 over all pairs: the area under the ROC curve.
double auroc(std::span<const double> clean, std::span<const double> attacked);

/// The same with DeLong's standard error for clustered data (Obuchowski, "Nonparametric analysis of clustered ROC curve
/// data", Biometrics 53, 1997) and Wilson's interval at the effective sample size: the variance of an AUROC is at most
/// A (1 - A) / n (Birnbaum and Klose 1957), as of a proportion, so perfect separation does not read as certain, and
/// nearly perfect separation is given a size nearer to n.
Detection auroc(const Scores& clean, const Scores& attacked);

/// The greatest true positive rate of the curve's points whose false positive rate is at most
/// `false_positive_rate`, in [0, 1]. With less than 1 / rate clean images that is the share above all clean scores.
/// The interval counts both that the attacked images are a sample (Wilson, clustered) and that the threshold is one:
/// the rates at all thresholds whose false positive rate agrees with the wanted one; the two are joined by the method
/// of variance estimates recovery (Zou and Donner 2008), which takes them as independent. Few clean references leave
/// the threshold unbounded and the interval open down to 0: at 1 %, fewer than 380.
Detection true_positive_rate(const Scores& clean, const Scores& attacked, double false_positive_rate = 0.01);

}  // namespace vaeguard::metrics
