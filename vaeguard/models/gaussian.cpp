// The Gaussian on means m with variance s^2: -log p = sum (x - m)^2 / (2 s^2) + log(2 pi s^2) / 2.
#include <cmath>
#include <numbers>
#include <span>

#include "vaeguard/models/likelihood_entry.h"

namespace vaeguard::models {
namespace {

constexpr const char* kLearned = "learned";

struct GaussianLikelihood : LikeliestAtMean {
  double variance = 1.0;
  bool learned = false;  // training replaces the variance (training/learned_variance.h); until then it is 1 / (2 pi)

  [[nodiscard]] std::string_view name() const { return "gaussian"; }
  static const OptionSchema<GaussianLikelihood>& schema() {
    static const auto schema = OptionSchema<GaussianLikelihood>().add(
        {.key = "variance",
         .description = "of a pixel about its mean",
         .kind = OptionKind::number,
         .range = above(0.0),
         .words = {{kLearned, "the mean squared residual of the training images, after each epoch"}}},
        [](const GaussianLikelihood& gaussian) {
          return gaussian.learned ? Value(kLearned) : Value(gaussian.variance);
        },
        [](GaussianLikelihood& gaussian, const Value& value) {
          gaussian.learned = !value.number().has_value();
          gaussian.variance = value.number().value_or(0.5 / std::numbers::pi);
        });
    return schema;
  }

  double negative_log(std::span<const float> image, std::span<const float> means, std::span<float> gradient) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < image.size(); ++i) {
      const double difference = static_cast<double>(means[i]) - image[i];
      sum += difference * difference;
    }
    this->gradient(image, means, gradient);
    return 0.5 * sum / variance + 0.5 * static_cast<double>(image.size()) * std::log(2.0 * std::numbers::pi * variance);
  }
  void gradient(std::span<const float> image, std::span<const float> means, std::span<float> gradient) const {
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] = static_cast<float>((static_cast<double>(means[i]) - image[i]) / variance);
    }
  }
  [[nodiscard]] PixelTerms pixel(double x, double mean) const {
    const double difference = mean - x;
    const double slope = difference / variance;
    return {0.5 * difference * slope + 0.5 * std::log(2.0 * std::numbers::pi * variance), slope, 1.0 / variance};
  }
  [[nodiscard]] double likelier_step(float x, float mean, double t) const {
    return (static_cast<double>(mean) - x) * t / (1.0 + t);
  }
};

}  // namespace

Likelihood gaussian(double variance) {
  GaussianLikelihood likelihood;
  likelihood.variance = variance;
  return likelihood_of(likelihood);
}

LikelihoodEntry gaussian_entry() {
  return {.name = "gaussian",
          .title = "Gaussian",
          .description = "A pixel is normal about the decoder's output, with one variance for all.",
          .usual = gaussian(GaussianLikelihood{}.variance)};
}

}  // namespace vaeguard::models
