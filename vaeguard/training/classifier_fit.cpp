// The logistic regression's objective in double, and its minimisation by L-BFGS.
#include "vaeguard/training/classifier_fit.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "vaeguard/base/eigen_view.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/lbfgs.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/base/softmax.h"

namespace vaeguard::training {
namespace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Rows that one thread takes at a time. Part of the result: sums are formed chunk by chunk.
constexpr std::int64_t kChunk = 2048;

// [N, D + 1], the last column is one, for the bias.
RowMatrix with_ones(const Matrix& features) {
  RowMatrix result(features.rows(), features.columns() + 1);
  result.leftCols(features.columns()) = eigen_view(features).cast<double>();
  result.rightCols(1).setOnes();
  return result;
}

// Mean cross-entropy + ridge / 2 |weights|^2 and its gradient; parameters are [classes, D + 1], biases last.
class Objective {
 public:
  Objective(const RowMatrix& features, std::span<const std::int64_t> labels, std::int64_t classes,
            const ClassifierFitOptions& options)
      : features_(features), labels_(labels), classes_(classes), options_(options) {}

  [[nodiscard]] std::int64_t size() const { return classes_ * features_.cols(); }
  [[nodiscard]] double cross_entropy() const { return cross_entropy_; }
  [[nodiscard]] double gradient_norm() const { return gradient_norm_; }

  double evaluate(std::span<const double> parameters, std::span<double> gradient) {
    const Eigen::Map<const RowMatrix> weight(parameters.data(), classes_, features_.cols());
    Eigen::Map<RowMatrix> result(gradient.data(), classes_, features_.cols());
    const std::int64_t rows = features_.rows();
    const auto chunks = static_cast<std::size_t>((rows + kChunk - 1) / kChunk);
    std::vector<RowMatrix> gradients(chunks);
    std::vector<double> losses(chunks);
    parallel_chunks(rows, kChunk, options_.threads, [&](std::int64_t first, std::int64_t count) {
      const auto chunk = static_cast<std::size_t>(first / kChunk);
      losses[chunk] = chunk_loss(weight, first, count, gradients[chunk]);
    });
    double loss = 0.0;
    result.setZero();
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
      loss += losses[chunk];
      result += gradients[chunk];
    }
    const auto inner = features_.cols() - 1;
    result /= static_cast<double>(rows);
    result.leftCols(inner) += options_.ridge * weight.leftCols(inner);
    cross_entropy_ = loss / static_cast<double>(rows);
    gradient_norm_ = result.norm();
    return cross_entropy_ + 0.5 * options_.ridge * weight.leftCols(inner).squaredNorm();
  }

 private:
  // Summed cross-entropy of some rows; `gradient` becomes (softmax - one-hot labels)^T features.
  double chunk_loss(const Eigen::Map<const RowMatrix>& weight, std::int64_t first, std::int64_t count,
                    RowMatrix& gradient) const {
    const auto rows = features_.middleRows(first, count);
    RowMatrix scores = rows * weight.transpose();
    double loss = 0.0;
    for (std::int64_t i = 0; i < count; ++i) {
      auto row = scores.row(i);
      const auto label = labels_[static_cast<std::size_t>(first + i)];
      const double at_label = row(label);
      loss += softmax(std::span(row.data(), static_cast<std::size_t>(classes_))) - at_label;
      row(label) -= 1.0;
    }
    gradient.noalias() = scores.transpose() * rows;
    return loss;
  }

  const RowMatrix& features_;
  std::span<const std::int64_t> labels_;
  std::int64_t classes_;
  const ClassifierFitOptions& options_;
  double cross_entropy_ = 0.0;
  double gradient_norm_ = 0.0;
};

models::LinearClassifier to_classifier(const Eigen::Map<const RowMatrix>& parameters) {
  const RowMatrix weight = parameters.leftCols(parameters.cols() - 1);
  models::LinearClassifier classifier{.weight = Matrix(weight.rows(), weight.cols()), .bias = {}};
  std::ranges::transform(weight.reshaped<Eigen::RowMajor>(), classifier.weight.data(),
                         [](double value) { return static_cast<float>(value); });
  std::ranges::transform(parameters.col(parameters.cols() - 1), std::back_inserter(classifier.bias),
                         [](double value) { return static_cast<float>(value); });
  return classifier;
}

void check_input(const Matrix& features, std::span<const std::int64_t> labels, std::int64_t classes) {
  if (features.empty() || features.rows() != std::ssize(labels) || classes < 2) {
    misuse("training.classifier_fit",
           "expected rows with a label each and at least two classes, got {} rows, {} labels, {} classes",
           features.rows(), labels.size(), classes);
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes) {
      misuse("training.classifier_fit", "labels must be in 0 .. {}, got {} at row {}", classes - 1, labels[i], i);
    }
  }
  check_finite("training.classifier_fit", "features", features);
}

}  // namespace

void ClassifierFitOptions::validate() const {
  if (!(ridge > 0.0) || !std::isfinite(ridge)) {
    misuse("training.classifier_fit", "ridge must be finite and > 0, got {}", ridge);
  }
  if (!(gradient_tolerance > 0.0) || max_iterations < 1 || threads < 1) {
    misuse("training.classifier_fit", "gradient_tolerance, max_iterations and threads must be > 0, got {}, {} and {}",
           gradient_tolerance, max_iterations, threads);
  }
}

ClassifierFit fit_classifier(const Matrix& features, std::span<const std::int64_t> labels, std::int64_t classes,
                             const ClassifierFitOptions& options, Observer& observer) {
  options.validate();
  check_input(features, labels, classes);
  const RowMatrix with_bias = with_ones(features);
  Objective objective(with_bias, labels, classes, options);
  const auto loss_at = [&](std::span<const double> parameters, std::span<double> gradient) {
    return objective.evaluate(parameters, gradient);
  };
  const auto tell = [&](std::int64_t iteration, double loss) {
    observer.progress("classifier", iteration, options.max_iterations, fmt::format("loss {:.5f}", loss));
    if (observer.interrupted()) {
      throw Interrupted{};
    }
  };
  const std::vector<double> zeros(static_cast<std::size_t>(objective.size()));
  const Minimum found = minimise(loss_at, zeros,
                                 {.memory = 20,
                                  .tolerance = options.gradient_tolerance,
                                  .iterations = options.max_iterations,
                                  .after_iteration = tell});
  std::vector<double> gradient(zeros.size());
  objective.evaluate(found.point, gradient);
  const Eigen::Map<const RowMatrix> optimum(found.point.data(), classes, with_bias.cols());
  // A line search that cannot improve any digit is convergence too, if the gradient is small by a weaker measure.
  if (found.ending != Ending::converged &&
      objective.gradient_norm() > 100.0 * options.gradient_tolerance * std::max(1.0, optimum.norm())) {
    failure("training.classifier_fit", "expected convergence to a gradient of {}, got {} ({})",
            options.gradient_tolerance, objective.gradient_norm(), name(found.ending));
  }
  return {.classifier = to_classifier(optimum),
          .loss = objective.cross_entropy(),
          .gradient_norm = objective.gradient_norm(),
          .iterations = static_cast<int>(found.iterations)};
}

}  // namespace vaeguard::training
