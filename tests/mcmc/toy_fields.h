// Targets with closed forms: exact draws, and a map that makes exact draws uniform.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

#include "tests/mcmc/statistics.h"
#include "vaeguard/base/random.h"
#include "vaeguard/base/scalar_field.h"
#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {

/// A density exp(-U) / Z that every chain explores. uniform(z, d), d = 0 .. D - 1, are independent and uniform on [0,
/// 1] exactly if z is a draw.
class ToyField : public ScalarField {
 public:
  [[nodiscard]] std::int64_t size() const override { return std::numeric_limits<std::int64_t>::max(); }
  virtual void draw(Key key, std::span<float> z) const = 0;
  [[nodiscard]] virtual double uniform(std::span<const float> z, std::int64_t d) const = 0;
  void evaluate(std::span<const std::int64_t> /*functions*/, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override {
    Matrix unused;
    Matrix& all = gradients != nullptr ? *gradients : unused;
    all.resize(points.rows(), points.columns());
    for (std::int64_t b = 0; b < points.rows(); ++b) {
      values[static_cast<std::size_t>(b)] = energy(points.row(b), all.row(b));
    }
    evaluations += points.rows();
  }

  mutable std::atomic<std::int64_t> evaluations{0};

 private:
  virtual double energy(std::span<const float> z, std::span<float> gradient) const = 0;
};

/// The first `chains` functions of a field, one for each chain.
inline Target first_functions(const ScalarField& field, std::int64_t chains) { return {field, consecutive(0, chains)}; }

/// N(0, L L'), L lower triangular [D, D]: anisotropic by its diagonal, correlated by the rest.
class GaussianField : public ToyField {
 public:
  explicit GaussianField(std::vector<std::vector<double>> lower) : lower_(std::move(lower)) {}
  static GaussianField standard(std::size_t dimension) { return scaled(std::vector<double>(dimension, 1.0)); }
  static GaussianField scaled(const std::vector<double>& deviations) {
    std::vector<std::vector<double>> lower(deviations.size(), std::vector<double>(deviations.size(), 0.0));
    for (std::size_t d = 0; d < deviations.size(); ++d) {
      lower[d][d] = deviations[d];
    }
    return GaussianField(std::move(lower));
  }
  /// Correlation 0.9 between the first two of three coordinates, deviations 1, 2 and 0.5.
  static GaussianField correlated() {
    return GaussianField({{1.0, 0.0, 0.0}, {1.8, 2.0 * std::sqrt(0.19), 0.0}, {0.1, -0.2, std::sqrt(0.2)}});
  }

  [[nodiscard]] std::int64_t dimension() const override { return static_cast<std::int64_t>(lower_.size()); }
  void draw(Key key, std::span<float> z) const override {
    std::vector<float> normals(z.size());
    fill_normal(key, normals);
    for (std::size_t i = 0; i < z.size(); ++i) {
      double sum = 0.0;
      for (std::size_t j = 0; j <= i; ++j) {
        sum += lower_[i][j] * normals[j];
      }
      z[i] = static_cast<float>(sum);
    }
  }
  [[nodiscard]] double uniform(std::span<const float> z, std::int64_t d) const override {
    return statistics::normal_cdf(whiten(z)[static_cast<std::size_t>(d)]);
  }

 private:
  [[nodiscard]] std::vector<double> whiten(std::span<const float> z) const {
    std::vector<double> white(z.begin(), z.end());
    for (std::size_t i = 0; i < white.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        white[i] -= lower_[i][j] * white[j];
      }
      white[i] /= lower_[i][i];
    }
    return white;
  }
  double energy(std::span<const float> z, std::span<float> gradient) const override {
    const std::vector<double> white = whiten(z);
    std::vector<double> solved = white;  // L'^-1 L^-1 z
    double sum = 0.0;
    for (std::size_t i = solved.size(); i-- > 0;) {
      for (std::size_t j = i + 1; j < solved.size(); ++j) {
        solved[i] -= lower_[j][i] * solved[j];
      }
      solved[i] /= lower_[i][i];
      gradient[i] = static_cast<float>(solved[i]);
      sum += white[i] * white[i];
    }
    return 0.5 * sum;
  }

  std::vector<std::vector<double>> lower_;
};

/// Independent skewed coordinates z = s y with density exp(y - exp(y)) of y (a Gumbel minimum): a wall on the right, an
/// exponential tail on the left, mean -0.577 s.
class GumbelField : public ToyField {
 public:
  explicit GumbelField(std::vector<double> scales) : scales_(std::move(scales)) {}
  [[nodiscard]] std::int64_t dimension() const override { return static_cast<std::int64_t>(scales_.size()); }
  void draw(Key key, std::span<float> z) const override {
    Stream stream(key);
    for (std::size_t d = 0; d < z.size(); ++d) {
      z[d] = static_cast<float>(scales_[d] * std::log(-std::log(stream.uniform())));
    }
  }
  [[nodiscard]] double uniform(std::span<const float> z, std::int64_t d) const override {
    const auto at = static_cast<std::size_t>(d);
    return -std::expm1(-std::exp(z[at] / scales_[at]));
  }

 private:
  double energy(std::span<const float> z, std::span<float> gradient) const override {
    double sum = 0.0;
    for (std::size_t d = 0; d < z.size(); ++d) {
      const double y = z[d] / scales_[d];
      sum += std::exp(y) - y;
      gradient[d] = static_cast<float>((std::exp(y) - 1.0) / scales_[d]);
    }
    return sum;
  }

  std::vector<double> scales_;
};

/// A standard normal in one dimension that has no density above `cut`: energies there are `outside` (NaN, infinity),
/// or finite with a gradient that is NaN.
class CutField : public ToyField {
 public:
  CutField(double cut, double outside) : cut_(cut), outside_(outside) {}
  [[nodiscard]] std::int64_t dimension() const override { return 1; }
  void draw(Key key, std::span<float> z) const override {
    for (std::uint64_t attempt = 0;; ++attempt) {
      fill_normal(key.fold(attempt), z);
      if (z[0] <= cut_) {
        return;
      }
    }
  }
  [[nodiscard]] double uniform(std::span<const float> z, std::int64_t /*d*/) const override {
    return z[0] <= cut_ ? statistics::normal_cdf(z[0]) / statistics::normal_cdf(cut_) : 2.0;
  }

 private:
  double energy(std::span<const float> z, std::span<float> gradient) const override {
    const bool inside = z[0] <= cut_;
    gradient[0] = inside ? z[0] : std::numeric_limits<float>::quiet_NaN();
    return inside ? 0.5 * static_cast<double>(z[0]) * z[0] : outside_;
  }

  double cut_;
  double outside_;
};

}  // namespace vaeguard::mcmc
