// One L-BFGS run per penalty and row, and the curve of their solutions.
#include "vaeguard/attacks/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vaeguard/attacks/ball.h"
#include "vaeguard/attacks/best.h"
#include "vaeguard/attacks/entry.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/lbfgs.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/base/progress.h"
#include "vaeguard/base/scalar_field.h"

namespace vaeguard::attacks {
namespace {

/// lambda |x(w) - reference|^2 - objective(x(w)) of one row, with `evaluate(point, gradient)` -> objective.
template <typename Evaluate>
class Penalised {
 public:
  Penalised(std::span<const float> reference, const Threat& box, std::int64_t gradients, Evaluate evaluate)
      : reference_(reference),
        box_(box),
        gradients_(gradients),
        evaluate_(std::move(evaluate)),
        point_(1, std::ssize(reference)) {}

  /// The solution for one penalty from `start` (pixels inside the box).
  std::vector<float> minimise(double penalty, std::span<const float> start) {
    std::vector<double> w(start.size());
    std::ranges::transform(start, w.begin(), [&](float pixel) {
      return std::asin(std::sqrt(std::clamp((static_cast<double>(pixel) - box_.low) / width(), 0.0, 1.0)));
    });
    const auto value_at = [&](std::span<const double> point, std::span<double> gradient) {
      return value(penalty, point, gradient);
    };
    const Minimum found = vaeguard::minimise(value_at, w, {.iterations = gradients_, .evaluations = gradients_});
    std::vector<float> answer(w.size());
    std::ranges::transform(found.point, answer.begin(), [&](double one) { return pixel(one); });
    return answer;
  }

 private:
  [[nodiscard]] double width() const { return static_cast<double>(box_.high) - box_.low; }
  [[nodiscard]] float pixel(double w) const {
    const double s = std::sin(w);
    const auto x = static_cast<float>(box_.low + width() * s * s);
    return std::isnan(x) ? x : std::clamp(x, box_.low, box_.high);
  }
  double value(double penalty, std::span<const double> w, std::span<double> gradient) {
    std::ranges::transform(w, point_.data(), [&](double one) { return pixel(one); });
    double total = -evaluate_(point_, gradient_);
    for (std::size_t j = 0; j < w.size(); ++j) {
      const double shift = static_cast<double>(point_.data()[j]) - reference_[j];
      total += penalty * shift * shift;
      gradient[j] = (2.0 * penalty * shift - gradient_.data()[j]) * width() * std::sin(2.0 * w[j]);
    }
    return total;
  }

  std::span<const float> reference_;
  const Threat& box_;
  std::int64_t gradients_;
  Evaluate evaluate_;
  Matrix point_;
  Matrix gradient_;
};

/// A random point near the reference, strictly inside the box, where the derivative of the change of variables is not
/// 0.
std::vector<float> start_near(std::span<const float> reference, Key key, const LbfgsOptions& options,
                              const Threat& box) {
  std::vector<float> start(reference.size());
  fill_normal(key.fold("start"), start);
  const double width = static_cast<double>(box.high) - box.low;
  for (std::size_t j = 0; j < start.size(); ++j) {
    const double change = options.start_deviation * width * start[j];
    const double there = reference[j] + change;
    const bool leaves = there < box.low || there > box.high;
    start[j] = static_cast<float>(
        std::clamp(leaves ? reference[j] - change : there, box.low + 1e-3 * width, box.high - 1e-3 * width));
  }
  return start;
}

}  // namespace

const OptionSchema<LbfgsOptions>& lbfgs_schema() {
  static const auto schema =
      OptionSchema<LbfgsOptions>()
          .integer("penalties", &LbfgsOptions::penalties, at_least(1), "in equal ratios from least to greatest")
          .number("least", &LbfgsOptions::least, above(0.0), "penalty")
          .number("greatest", &LbfgsOptions::greatest, above(0.0), "penalty")
          .integer("iterations", &LbfgsOptions::iterations, at_least(1), "gradients for each penalty")
          .number("start_deviation", &LbfgsOptions::start_deviation, above(0.0), "of a pixel at the start");
  return schema;
}

void validate(const LbfgsOptions& options) {
  lbfgs_schema().check("attacks.lbfgs", options);
  if (options.greatest < options.least) {
    misuse("attacks.lbfgs", "penalties must go from least to a greatest of at least that, got {} and {}", options.least,
           options.greatest);
  }
}

std::vector<double> penalties(const LbfgsOptions& options) {
  validate(options);
  std::vector<double> result(static_cast<std::size_t>(options.penalties), options.least);
  for (std::size_t k = 1; k < result.size(); ++k) {
    const double share = static_cast<double>(k) / static_cast<double>(result.size() - 1);
    result[k] = options.least * std::pow(options.greatest / options.least, share);
  }
  return result;
}

Lbfgs::Lbfgs(const LbfgsOptions& options) : options_(options) { validate(options); }

Matrix Lbfgs::maximise(Search& search) const {
  const Matrix& references = search.references();
  const std::vector<std::int64_t> rows = consecutive(0, references.rows());
  Matrix points = references;
  Best best(points);
  std::vector<double> values;
  for (const double penalty : penalties(options_)) {
    for (const std::int64_t i : rows) {
      const auto evaluate = [&search, i](const Matrix& point, Matrix& gradient) {
        return search.evaluate_one(i, point, &gradient);
      };
      const Threat& threat = search.threat(i);
      Penalised field(references.row(i), threat, options_.iterations, evaluate);
      const auto start = start_near(references.row(i), search.keys()[static_cast<std::size_t>(i)], options_, threat);
      std::ranges::copy(field.minimise(penalty, start), points.row(i).begin());
      threat.project(references.row(i), points.row(i));
    }
    search.evaluate(points, values, nullptr);
    best.observe(rows, points, values);
  }
  return std::move(best).take();
}

std::vector<std::vector<SweepPoint>> sweep_penalties(const ScalarField& objective, const Matrix& references,
                                                     std::span<const Key> keys, const LbfgsOptions& options,
                                                     const Execution& execution) {
  check_shape("attacks.lbfgs", "references", references, objective.size(), objective.dimension());
  if (std::ssize(keys) != references.rows()) {
    misuse("attacks.lbfgs", "each of {} rows needs a key, got {} keys", references.rows(), keys.size());
  }
  const Threat box;
  std::vector<std::vector<SweepPoint>> sweeps(keys.size());
  Progress progress(*execution.observer, "sweep of penalties", references.rows());
  parallel_chunks(references.rows(), 1, execution.threads, [&](std::int64_t row, std::int64_t) {
    progress.pause_for_interruption();
    const auto reference = references.row(row);
    const auto evaluate = [&](const Matrix& point, Matrix& gradient) {
      double value = 0.0;
      objective.evaluate({&row, 1}, point, {&value, 1}, &gradient);
      return value;
    };
    Penalised field(reference, box, options.iterations, evaluate);
    const auto start = start_near(reference, keys[static_cast<std::size_t>(row)], options, box);
    for (const double penalty : penalties(options)) {
      const Matrix answer(1, references.columns(), field.minimise(penalty, start));
      double value = 0.0;
      objective.evaluate({&row, 1}, answer, {&value, 1}, nullptr);
      sweeps[static_cast<std::size_t>(row)].push_back({l2_size(reference, answer.row(0)), value});
    }
    progress.advance(1);
  });
  return sweeps;
}

OptimiserEntries lbfgs_entries() {
  return {optimiser_entry<LbfgsOptions>(
      {.name = "lbfgs",
       .title = "L-BFGS",
       .description = "L-BFGS with penalised distortion; the best of a sweep of penalties is kept."},
      [](std::string_view) { return LbfgsOptions{}; }, lbfgs_schema(),
      [](const LbfgsOptions& options) { return std::make_unique<Lbfgs>(options); })};
}

}  // namespace vaeguard::attacks
