// The logistic regression's objective in double, and its minimisation by libLBFGS.
#include "vaeguard/training/classifier_fit.h"

#include <lbfgs.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"

namespace vaeguard::training {
namespace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Rows that one thread takes at a time. Part of the result: sums are formed chunk by chunk.
constexpr std::int64_t kChunk = 2048;

// [N, D + 1], the last column is one, for the bias.
RowMatrix with_ones(const Matrix& features) {
  const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> raw(
      features.data(), features.rows(), features.columns());
  RowMatrix result(raw.rows(), raw.cols() + 1);
  result.leftCols(raw.cols()) = raw.cast<double>();
  result.rightCols(1).setOnes();
  return result;
}

// Mean cross-entropy + ridge / 2 |weights|^2 and its gradient; parameters are [classes, D + 1], biases last.
class Objective {
 public:
  Objective(const RowMatrix& features, std::span<const std::int64_t> labels, std::int64_t classes,
            const ClassifierFitOptions& options, Observer& observer)
      : features_(features), labels_(labels), classes_(classes), options_(options), observer_(observer) {}

  [[nodiscard]] std::int64_t size() const { return classes_ * features_.cols(); }
  [[nodiscard]] double cross_entropy() const { return cross_entropy_; }
  [[nodiscard]] double gradient_norm() const { return gradient_norm_; }
  [[nodiscard]] bool interrupted() const { return interrupted_; }
  [[nodiscard]] int iterations() const { return iterations_; }

  double evaluate(const double* parameters, double* gradient) {
    const Eigen::Map<const RowMatrix> weight(parameters, classes_, features_.cols());
    Eigen::Map<RowMatrix> result(gradient, classes_, features_.cols());
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

  // Tells progress; true asks the optimiser to stop.
  bool iteration_finished(int iteration, double loss) {
    observer_.progress("classifier", iteration, options_.max_iterations, fmt::format("loss {:.5f}", loss));
    iterations_ = iteration;
    interrupted_ = observer_.interrupted();
    return interrupted_;
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
      const double largest = row.maxCoeff();
      const double at_label = row(label);
      row = (row.array() - largest).exp().matrix();
      const double total = row.sum();
      loss += largest + std::log(total) - at_label;
      row /= total;
      row(label) -= 1.0;
    }
    gradient.noalias() = scores.transpose() * rows;
    return loss;
  }

  const RowMatrix& features_;
  std::span<const std::int64_t> labels_;
  std::int64_t classes_;
  const ClassifierFitOptions& options_;
  Observer& observer_;
  double cross_entropy_ = 0.0;
  double gradient_norm_ = 0.0;
  bool interrupted_ = false;
  int iterations_ = 0;
};

// The two callbacks of libLBFGS; `instance` is the Objective.
lbfgsfloatval_t evaluate(void* instance, const lbfgsfloatval_t* parameters, lbfgsfloatval_t* gradient, int /*size*/,
                         lbfgsfloatval_t /*step*/) {
  return static_cast<Objective*>(instance)->evaluate(parameters, gradient);
}

int progress(void* instance, const lbfgsfloatval_t* /*parameters*/, const lbfgsfloatval_t* /*gradient*/,
             lbfgsfloatval_t loss, lbfgsfloatval_t /*parameter_norm*/, lbfgsfloatval_t /*gradient_norm*/,
             lbfgsfloatval_t /*step*/, int /*size*/, int iteration, int /*evaluations*/) {
  return static_cast<Objective*>(instance)->iteration_finished(iteration, loss) ? 1 : 0;
}

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
  Objective objective(with_bias, labels, classes, options, observer);
  lbfgs_parameter_t settings;
  lbfgs_parameter_init(&settings);
  settings.m = 20;
  settings.epsilon = options.gradient_tolerance;
  settings.max_iterations = options.max_iterations;
  // libLBFGS wants its own allocation, aligned for its vector instructions.
  const std::unique_ptr<lbfgsfloatval_t, decltype(&lbfgs_free)> parameters(
      lbfgs_malloc(static_cast<int>(objective.size())), &lbfgs_free);
  std::fill_n(parameters.get(), objective.size(), 0.0);
  const int status =
      lbfgs(static_cast<int>(objective.size()), parameters.get(), nullptr, &evaluate, &progress, &objective, &settings);
  if (objective.interrupted()) {
    throw Interrupted{};
  }
  std::vector<double> gradient(static_cast<std::size_t>(objective.size()));
  objective.evaluate(parameters.get(), gradient.data());
  const Eigen::Map<const RowMatrix> optimum(parameters.get(), classes, with_bias.cols());
  // A line search that can improve no digit any more is convergence too, if the gradient is small by a weaker measure.
  if (status != LBFGS_SUCCESS && status != LBFGS_ALREADY_MINIMIZED &&
      objective.gradient_norm() > 100.0 * options.gradient_tolerance * std::max(1.0, optimum.norm())) {
    failure("training.classifier_fit", "expected convergence to a gradient of {}, got {} (libLBFGS status {})",
            options.gradient_tolerance, objective.gradient_norm(), status);
  }
  return {.classifier = to_classifier(optimum),
          .loss = objective.cross_entropy(),
          .gradient_norm = objective.gradient_norm(),
          .iterations = objective.iterations()};
}

}  // namespace vaeguard::training
