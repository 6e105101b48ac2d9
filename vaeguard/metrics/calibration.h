// Whether class probabilities mean what they say: logarithmic and Brier score, calibration error.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/metrics/intervals.h"

namespace vaeguard::metrics {

// Everything here takes `probabilities` [n, classes], rows in [0, 1] that sum to 1 within 1e-4, and one true class
// for each row, and throws Misuse otherwise. The scores are proper: their mean is least for the true probabilities.
// A row with NaN is data, the result of a code that overflowed: its scores are NaN, and so is a calibration error over
// such rows.

/// -log p(true class) of each row, nats; infinite where that probability is 0.
std::vector<double> negative_log_score(const Matrix& probabilities, std::span<const std::int64_t> classes);

/// sum over classes of (p - [it is the true one])^2 of each row, in [0, 2] (Brier 1950).
std::vector<double> brier_score(const Matrix& probabilities, std::span<const std::int64_t> classes);

/// Rows of about equal confidence, the greatest probability of a row.
struct CalibrationBin {
  std::int64_t count = 0;
  double confidence = 0.0;  // mean
  double accuracy = 0.0;    // share of rows whose most probable class (the first, if tied) is the true one
};

struct Calibration {
  std::vector<CalibrationBin> bins;  // in order of confidence, without rows that have NaN
  std::int64_t unknown = 0;          // rows with NaN; if there are any, both errors are NaN
  /// Expected calibration error: mean over rows of |accuracy - confidence| of their bin. Chance alone makes it
  /// positive.
  double expected_error = 0.0;
  /// Mean over rows of (accuracy - confidence)^2 of their bin, minus the sampling variance of the bin's accuracy, a (1
  /// - a) / (count - 1): unbiased for bins of one confidence, so below 0 half of the time for calibrated rows (Broecker
  /// 2012; Kumar, Liang and Ma, "Verified uncertainty calibration", NeurIPS 2019). NaN if a bin has a single row.
  double debiased_squared_error = 0.0;
};

/// Sorts rows by confidence into at most `bins` bins of equal size (Nguyen and O'Connor 2015), rows of equal confidence
/// into the same one, so the order of rows does not matter. Needs at least one row and one bin.
Calibration calibration(const Matrix& probabilities, std::span<const std::int64_t> classes, std::int64_t bins = 15);

/// Calibration::expected_error of all rows, the restarts of one reference in consecutive rows, with the jackknife
/// standard error over references, NaN for a single reference.
Estimate calibration_error(const Matrix& probabilities, std::span<const std::int64_t> classes, std::int64_t restarts);

}  // namespace vaeguard::metrics
