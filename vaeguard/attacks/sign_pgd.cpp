// The loop of sign-PGD and its step schedules.
#include "vaeguard/attacks/sign_pgd.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

/// The best iterate of each row; values that are not finite never count.
class Best {
 public:
  explicit Best(const Matrix& start)
      : points_(start), values_(static_cast<std::size_t>(start.rows()), -std::numeric_limits<double>::infinity()) {}

  void observe(const Matrix& points, const std::vector<double>& values) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (std::isfinite(values[i]) && values[i] > values_[i]) {
        values_[i] = values[i];
        std::ranges::copy(points.row(static_cast<std::int64_t>(i)), points_.row(static_cast<std::int64_t>(i)).begin());
      }
    }
  }
  [[nodiscard]] Matrix take() && { return std::move(points_); }

 private:
  Matrix points_;
  std::vector<double> values_;
};

double decay(const SignPgdOptions& options, std::int64_t iteration) {
  const double progress = static_cast<double>(iteration) / static_cast<double>(options.iterations);
  switch (options.schedule) {
    case Schedule::cosine:
      return 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
    case Schedule::linear:
      return 1.0 - progress;
  }
  misuse("attacks.sign_pgd", "unknown schedule {}", static_cast<int>(options.schedule));
}

}  // namespace

void validate(const SignPgdOptions& options) {
  if (options.iterations < 1) {
    misuse("attacks.sign_pgd", "iterations must be at least 1, got {}", options.iterations);
  }
  if (!std::isfinite(options.first_step) || options.first_step <= 0.0) {
    misuse("attacks.sign_pgd", "first_step must be finite and > 0, got {}", options.first_step);
  }
}

SignPgd::SignPgd(const SignPgdOptions& options) : options_(options) { validate(options); }

Matrix SignPgd::maximise(Search& search) const {
  const Matrix& references = search.references();
  const Threat& threat = search.threat();
  Matrix points(references.rows(), references.columns());
  for (std::int64_t i = 0; i < points.rows(); ++i) {
    threat.random_point(search.keys()[static_cast<std::size_t>(i)].fold("start"), references.row(i), points.row(i));
  }
  Best best(points);
  Matrix gradients;
  std::vector<double> values;
  std::vector<float> direction(static_cast<std::size_t>(points.columns()));
  for (std::int64_t iteration = 0; iteration < options_.iterations; ++iteration) {
    search.evaluate(points, values, &gradients);
    best.observe(points, values);
    const auto step = static_cast<float>(threat.radius * options_.first_step * decay(options_, iteration));
    for (std::int64_t i = 0; i < points.rows(); ++i) {
      threat.steepest_direction(gradients.row(i), direction);
      for (std::int64_t j = 0; j < points.columns(); ++j) {
        points(i, j) += step * direction[static_cast<std::size_t>(j)];
      }
      threat.project(references.row(i), points.row(i));
    }
  }
  search.evaluate(points, values, nullptr);
  best.observe(points, values);
  return std::move(best).take();
}

}  // namespace vaeguard::attacks
