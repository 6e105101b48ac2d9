// Scores row by row, and bins of equal mass over sorted confidences.
#include "vaeguard/metrics/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "vaeguard/base/error.h"

namespace vaeguard::metrics {
namespace {

constexpr std::string_view kPlace = "metrics.calibration";
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

bool unknown(std::span<const float> row) {
  return std::ranges::any_of(row, [](float p) { return std::isnan(p); });
}

void check_row(std::span<const float> row, std::int64_t i) {
  double sum = 0.0;
  for (const float p : row) {
    if (!(p >= 0.0F && p <= 1.0F)) {
      misuse(kPlace, "probabilities must be in [0, 1], got {} in row {}", p, i);
    }
    sum += p;
  }
  constexpr double kTolerance = 1e-4;  // a softmax of a thousand classes in float is off by less
  if (std::abs(sum - 1.0) > kTolerance) {
    misuse(kPlace, "each row of probabilities must sum to 1, got {} in row {}", sum, i);
  }
}

void check(const Matrix& probabilities, std::span<const std::int64_t> classes) {
  check_shape(kPlace, "probabilities", probabilities, static_cast<std::int64_t>(classes.size()), -1);
  for (std::int64_t i = 0; i < probabilities.rows(); ++i) {
    if (!unknown(probabilities.row(i))) {
      check_row(probabilities.row(i), i);
    }
    const std::int64_t actual = classes[static_cast<std::size_t>(i)];
    if (actual < 0 || actual >= probabilities.columns()) {
      misuse(kPlace, "classes must be from 0 to {}, got {} in row {}", probabilities.columns() - 1, actual, i);
    }
  }
}

struct Prediction {
  double confidence = 0.0;
  double correct = 0.0;
};

// Of the rows that are numbers.
std::vector<Prediction> predictions(const Matrix& probabilities, std::span<const std::int64_t> classes) {
  std::vector<Prediction> result;
  for (std::int64_t i = 0; i < probabilities.rows(); ++i) {
    const auto row = probabilities.row(i);
    if (unknown(row)) {
      continue;
    }
    const auto best = std::ranges::max_element(row);
    result.push_back({*best, best - row.begin() == classes[static_cast<std::size_t>(i)] ? 1.0 : 0.0});
  }
  return result;
}

CalibrationBin summarise(std::span<const Prediction> predictions) {
  const auto count = static_cast<double>(predictions.size());
  double confidence = 0.0;
  double correct = 0.0;
  for (const Prediction& prediction : predictions) {
    confidence += prediction.confidence;
    correct += prediction.correct;
  }
  return {static_cast<std::int64_t>(predictions.size()), confidence / count, correct / count};
}

}  // namespace

std::vector<double> negative_log_score(const Matrix& probabilities, std::span<const std::int64_t> classes) {
  check(probabilities, classes);
  std::vector<double> scores;
  for (std::int64_t i = 0; i < probabilities.rows(); ++i) {
    const double p = probabilities(i, classes[static_cast<std::size_t>(i)]);
    scores.push_back(unknown(probabilities.row(i)) ? kUnknown : -std::log(p));
  }
  return scores;
}

std::vector<double> brier_score(const Matrix& probabilities, std::span<const std::int64_t> classes) {
  check(probabilities, classes);
  std::vector<double> scores;
  for (std::int64_t i = 0; i < probabilities.rows(); ++i) {
    double score = 0.0;
    for (std::int64_t k = 0; k < probabilities.columns(); ++k) {
      const double actual = k == classes[static_cast<std::size_t>(i)] ? 1.0 : 0.0;
      score += std::pow(probabilities(i, k) - actual, 2);
    }
    scores.push_back(score);
  }
  return scores;
}

Calibration calibration(const Matrix& probabilities, std::span<const std::int64_t> classes, std::int64_t bins) {
  check(probabilities, classes);
  if (bins < 1 || probabilities.empty()) {
    misuse(kPlace, "at least one bin and one row are needed, got {} and {}", bins, probabilities.rows());
  }
  std::vector<Prediction> sorted = predictions(probabilities, classes);
  std::ranges::sort(sorted, {}, &Prediction::confidence);
  const auto rows = static_cast<std::int64_t>(sorted.size());
  Calibration result{.bins = {}, .unknown = probabilities.rows() - rows};
  if (result.unknown > 0) {
    result.expected_error = result.debiased_squared_error = kUnknown;
  }
  std::int64_t begin = 0;
  for (std::int64_t bin = 1; bin <= bins; ++bin) {
    std::int64_t end = std::max(begin, rows * bin / bins);
    while (end > begin && end < rows &&
           sorted[static_cast<std::size_t>(end)].confidence == sorted[static_cast<std::size_t>(end - 1)].confidence) {
      ++end;
    }
    if (end == begin) {
      continue;  // equal confidences took this bin's rows, or there are more bins than rows
    }
    const CalibrationBin found =
        summarise(std::span(sorted).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
    const double share = static_cast<double>(found.count) / static_cast<double>(rows);
    const double gap = found.accuracy - found.confidence;
    const double chance = found.accuracy * (1.0 - found.accuracy) / static_cast<double>(found.count - 1);
    result.expected_error += share * std::abs(gap);
    result.debiased_squared_error += share * (gap * gap - chance);
    result.bins.push_back(found);
    begin = end;
  }
  return result;
}

Estimate calibration_error(const Matrix& probabilities, std::span<const std::int64_t> classes, std::int64_t restarts) {
  if (restarts < 1 || probabilities.rows() % restarts != 0) {
    misuse(kPlace, "restarts must be at least 1 and divide the {} rows, got {}", probabilities.rows(), restarts);
  }
  const std::int64_t references = probabilities.rows() / restarts;
  const double all = calibration(probabilities, classes).expected_error;
  if (references < 2) {
    return {all, std::nan(""), references};
  }
  std::vector<double> without;  // one reference each
  for (std::int64_t left_out = 0; left_out < references; ++left_out) {
    std::vector<std::int64_t> rows;
    std::vector<std::int64_t> kept;
    for (std::int64_t row = 0; row < probabilities.rows(); ++row) {
      if (row / restarts != left_out) {
        rows.push_back(row);
        kept.push_back(classes[static_cast<std::size_t>(row)]);
      }
    }
    without.push_back(calibration(probabilities.gather(rows), kept).expected_error);
  }
  const auto n = static_cast<double>(references);
  const double mean = std::accumulate(without.begin(), without.end(), 0.0) / n;
  double squares = 0.0;
  for (const double value : without) {
    squares += (value - mean) * (value - mean);
  }
  return {all, std::sqrt((n - 1.0) / n * squares), references};
}

}  // namespace vaeguard::metrics
