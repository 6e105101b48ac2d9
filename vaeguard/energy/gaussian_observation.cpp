// Images under Gaussian noise of each pixel: about the decoder's mean image, and about the grey levels of a pixel law.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/exponential.h"
#include "vaeguard/energy/observation.h"
#include "vaeguard/energy/tabulated_observation.h"

namespace vaeguard::energy {
namespace {

constexpr auto kLevels = static_cast<std::size_t>(models::PixelLaw::kLevels);
constexpr double kTop = static_cast<double>(kLevels - 1);

void check_scales(const Matrix& images, const std::vector<double>& scales) {
  if (std::ssize(scales) != images.rows()) {
    misuse("energy.observation", "scales must number {}, one an image, got {}", images.rows(), scales.size());
  }
  for (const double scale : scales) {
    if (!std::isfinite(scale) || scale <= 0.0) {
      misuse("energy.observation", "a scale must be finite and > 0, got {}", scale);
    }
  }
}

// -log of the largest density of N(., s^2).
double log_normaliser(double scale) { return 0.5 * std::log(2.0 * std::numbers::pi * scale * scale); }

class GaussianObservation : public Observation {
 public:
  GaussianObservation(const models::Likelihood& likelihood, Matrix images, std::vector<double> scales)
      : likelihood_(likelihood), images_(std::move(images)), scales_(std::move(scales)) {
    check_finite("energy.observation", "images", images_);
    check_scales(images_, scales_);
  }
  [[nodiscard]] std::int64_t size() const override { return images_.rows(); }

  double negative_log(std::int64_t b, std::span<const float> parameters, std::span<float> gradient) const override {
    const Read read = read_at(b, parameters);
    double sum = 0.0;
    for (const double slope : read.slopes) {
      sum += slope * slope;
    }
    if (!gradient.empty()) {
      likelihood_.pull_mean(read.mean, read.slopes, gradient);
    }
    const double scale = scale_of(b);
    return 0.5 * sum * scale * scale + static_cast<double>(read.slopes.size()) * log_normaliser(scale);
  }

  void gradient(std::int64_t b, std::span<const float> parameters, std::span<float> gradient) const override {
    const Read read = read_at(b, parameters);
    likelihood_.pull_mean(read.mean, read.slopes, gradient);
  }

  void curvature(std::int64_t b, std::span<const float> parameters, std::span<float> curvature) const override {
    const Read read = read_at(b, parameters);
    const std::vector<double> curvatures(parameters.size(), 1.0 / (scale_of(b) * scale_of(b)));
    likelihood_.pull_mean_curvature(read.mean, read.slopes, curvatures, curvature);
  }

  void true_image(std::int64_t /*b*/, std::span<const float> parameters, std::span<float> image) const override {
    likelihood_.mean(parameters, image);
    std::ranges::transform(image, image.begin(), [](float v) { return std::clamp(v, 0.0F, 1.0F); });
  }

 private:
  // The mean image m, and (m - x) / s^2. Valid until the next call on this thread.
  struct Read {
    std::span<const float> mean;
    std::span<const double> slopes;
  };
  [[nodiscard]] Read read_at(std::int64_t b, std::span<const float> parameters) const {
    thread_local std::vector<float> mean;
    thread_local std::vector<double> slopes;
    mean.resize(parameters.size());
    slopes.resize(parameters.size());
    likelihood_.mean(parameters, mean);
    const float* image = images_.row(b).data();
    const double precision = 1.0 / (scale_of(b) * scale_of(b));
    for (std::size_t i = 0; i < mean.size(); ++i) {
      slopes[i] = (static_cast<double>(mean[i]) - image[i]) * precision;
    }
    return {mean, slopes};
  }

  [[nodiscard]] double scale_of(std::int64_t b) const { return scales_[static_cast<std::size_t>(b)]; }

  models::Likelihood likelihood_;
  Matrix images_;
  std::vector<double> scales_;
};

// N(x; v, s^2) of each level v, divided by that of the level nearest to x: no scale is so small that all are 0.
struct LevelWeights {
  std::array<float, kLevels> weight;
  double nearest;  // -log of the divisor, the normaliser left out

  LevelWeights(double x, double scale) {
    const double level = kTop * x;
    const double own = std::clamp(std::round(level), 0.0, kTop);
    const double per_level = 0.5 / (kTop * kTop * scale * scale);
    for (std::size_t v = 0; v < kLevels; ++v) {
      // (l - v)^2 - (l - own)^2, which is never negative but by rounding
      const double farther = (own - static_cast<double>(v)) * (2.0 * level - own - static_cast<double>(v));
      weight[v] = exponential_of_negative(static_cast<float>(std::min(-farther * per_level, 0.0)));
    }
    nearest = (level - own) * (level - own) * per_level;
  }
};

// E[v | x, a] and E[v^2 | x, a], in levels.
struct LevelMoments {
  double first;
  double second;

  LevelMoments(const models::PixelLaw& law, const LevelWeights& weights, double position) {
    // NaN propagates into the sums.
    const auto node = position >= 0.0 ? std::min(static_cast<std::int64_t>(position), law.nodes() - 2) : 0;
    const std::span<const float> low = law.probability.row(node);
    const std::span<const float> high = law.probability.row(node + 1);
    const auto share = static_cast<float>(position - static_cast<double>(node));
    double mass = 0.0;
    double sum = 0.0;
    double squares = 0.0;
    for (std::size_t v = 0; v < kLevels; ++v) {
      const double part = weights.weight[v] * (low[v] + share * (high[v] - low[v]));
      mass += part;
      sum += static_cast<double>(v) * part;
      squares += static_cast<double>(v * v) * part;
    }
    first = sum / mass;
    second = squares / mass;
  }
};

class LawObservation : public TabulatedObservation {
 public:
  LawObservation(std::shared_ptr<const models::PixelLaw> law, Matrix images, std::vector<double> scales, int threads)
      : TabulatedObservation(std::move(images), *law),
        law_(std::move(law)),
        scales_(std::move(scales)),
        by_level_(models::PixelLaw::kLevels, law_->nodes()) {
    models::validate(*law_, "energy.observation");
    check_scales(this->images(), scales_);
    for (std::int64_t node = 0; node < law_->nodes(); ++node) {
      for (std::int64_t v = 0; v < models::PixelLaw::kLevels; ++v) {
        by_level_(v, node) = law_->probability(node, v);
      }
    }
    tabulate(
        [this](std::int64_t b, std::size_t i) {
          return PixelKey{0, this->images().row(b)[i]};
        },
        [this](std::int64_t b, std::size_t i, std::span<double> energies) { fill(b, i, energies); }, threads);
  }

  void true_image(std::int64_t b, std::span<const float> parameters, std::span<float> image) const override {
    expect_under_noise(*law_, scale_of(b), images().row(b), parameters, image);
  }

 private:
  // -log sum_v p(v | a) N(x; v, s^2)
  void fill(std::int64_t b, std::size_t i, std::span<double> energies) const {
    const double scale = scale_of(b);
    const LevelWeights weights(images().row(b)[i], scale);
    std::ranges::fill(energies, 0.0);
    for (std::size_t v = 0; v < kLevels; ++v) {
      const float* probability = by_level_.row(static_cast<std::int64_t>(v)).data();
      const double weight = weights.weight[v];
      for (std::size_t node = 0; node < energies.size(); ++node) {
        energies[node] += weight * static_cast<double>(probability[node]);
      }
    }
    const double constant = weights.nearest + log_normaliser(scale);
    std::ranges::transform(energies, energies.begin(), [constant](double mass) { return constant - std::log(mass); });
  }

  [[nodiscard]] double scale_of(std::int64_t b) const { return scales_[static_cast<std::size_t>(b)]; }

  std::shared_ptr<const models::PixelLaw> law_;
  std::vector<double> scales_;
  Matrix by_level_;  // [levels, nodes]: sums for all nodes at once
};

}  // namespace

double expect_under_noise(const models::PixelLaw& law, double scale, std::span<const float> image,
                          std::span<const float> parameters, std::span<float> expected) {
  double squares = 0.0;
  LevelWeights weights(image.front(), scale);
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (i > 0 && image[i] != image[i - 1]) {
      weights = LevelWeights(image[i], scale);
    }
    const LevelMoments moments(law, weights, law.position(parameters[i]));
    const double x = kTop * image[i];
    squares += std::max(x * x - 2.0 * x * moments.first + moments.second, 0.0);
    expected[i] = static_cast<float>(moments.first / kTop);
  }
  return squares / (kTop * kTop * static_cast<double>(image.size()));
}

std::unique_ptr<Observation> gaussian_observation(const models::Likelihood& likelihood, Matrix images,
                                                  std::vector<double> scales) {
  return std::make_unique<GaussianObservation>(likelihood, std::move(images), std::move(scales));
}

std::unique_ptr<Observation> law_observation(std::shared_ptr<const models::PixelLaw> law, Matrix images,
                                             std::vector<double> scales, int threads) {
  return std::make_unique<LawObservation>(std::move(law), std::move(images), std::move(scales), threads);
}

}  // namespace vaeguard::energy
