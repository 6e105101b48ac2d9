// Moments, and the trace of a square root by symmetric eigenvalues.
#include "vaeguard/metrics/frechet.h"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>

#include "vaeguard/base/eigen_view.h"
#include "vaeguard/base/error.h"

namespace vaeguard::metrics {
namespace {

using Square = Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

constexpr std::string_view kPlace = "metrics.frechet";

Square covariance_of(const FeatureMoments& moments) {
  const auto size = static_cast<Eigen::Index>(moments.mean.size());
  return {moments.covariance.data(), size, size};
}

// Rounding leaves eigenvalues a little below 0.
Eigen::VectorXd roots(const Eigen::VectorXd& eigenvalues) { return eigenvalues.cwiseMax(0.0).cwiseSqrt(); }

}  // namespace

FeatureMoments feature_moments(const Matrix& features) {
  if (features.rows() < 2) {
    misuse(kPlace, "at least 2 feature vectors are needed, got {}", features.rows());
  }
  check_finite(kPlace, "features", features);
  const auto rows = eigen_view(features).cast<double>();
  const Eigen::RowVectorXd mean = rows.colwise().mean();
  const Eigen::MatrixXd centred = rows.rowwise() - mean;
  const Eigen::MatrixXd covariance = centred.transpose() * centred / static_cast<double>(features.rows() - 1);
  return {features.rows(),
          {mean.data(), mean.data() + mean.size()},
          {covariance.data(), covariance.data() + covariance.size()}};
}

double frechet_distance(const FeatureMoments& a, const FeatureMoments& b) {
  if (a.mean.size() != b.mean.size()) {
    misuse(kPlace, "both must have features of one size, got {} and {}", a.mean.size(), b.mean.size());
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> of_a(covariance_of(a));
  const Eigen::MatrixXd root =
      of_a.eigenvectors() * roots(of_a.eigenvalues()).asDiagonal() * of_a.eigenvectors().transpose();
  const Eigen::MatrixXd product = root * covariance_of(b) * root;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> of_product(product, Eigen::EigenvaluesOnly);
  double distance = covariance_of(a).trace() + covariance_of(b).trace() - 2.0 * roots(of_product.eigenvalues()).sum();
  for (std::size_t i = 0; i < a.mean.size(); ++i) {
    distance += (a.mean[i] - b.mean[i]) * (a.mean[i] - b.mean[i]);
  }
  return std::max(distance, 0.0);
}

}  // namespace vaeguard::metrics
