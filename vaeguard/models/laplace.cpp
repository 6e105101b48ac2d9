// The Laplace on means m with scale b, so with variance 2 b^2: -log p = sum |x - m| / b + log(2 b), gradient
// sign(m - x) / b and 0 where x = m.
#include <algorithm>
#include <cmath>
#include <span>

#include "vaeguard/models/likelihood_entry.h"

namespace vaeguard::models {
namespace {

struct LaplaceLikelihood : LikeliestAtMean {
  double variance = 1.0;

  [[nodiscard]] std::string_view name() const { return "laplace"; }
  static const OptionSchema<LaplaceLikelihood>& schema() {
    static const auto schema = OptionSchema<LaplaceLikelihood>().number("variance", &LaplaceLikelihood::variance,
                                                                        above(0.0), "of a pixel about its mean");
    return schema;
  }
  // b
  [[nodiscard]] double scale() const { return std::sqrt(0.5 * variance); }

  double negative_log(std::span<const float> image, std::span<const float> means, std::span<float> gradient) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < image.size(); ++i) {
      sum += std::abs(static_cast<double>(means[i]) - image[i]);
    }
    this->gradient(image, means, gradient);
    return sum / scale() + static_cast<double>(image.size()) * std::log(2.0 * scale());
  }
  // A mean that is no number has a gradient that is none.
  void gradient(std::span<const float> image, std::span<const float> means, std::span<float> gradient) const {
    const auto slope = static_cast<float>(1.0 / scale());
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] = means[i] > image[i] ? slope : means[i] < image[i] ? -slope : 0.0F * (means[i] - image[i]);
    }
  }
  [[nodiscard]] PixelTerms pixel(double x, double mean) const {
    const double difference = mean - x;
    return {std::abs(difference) / scale() + std::log(2.0 * scale()),
            static_cast<double>((difference > 0.0) - (difference < 0.0)) / scale(), 0.0};
  }
  [[nodiscard]] double likelier_step(float x, float mean, double t) const {
    return std::clamp(static_cast<double>(mean) - x, -t, t);
  }
};

}  // namespace

Likelihood laplace(double variance) {
  LaplaceLikelihood likelihood;
  likelihood.variance = variance;
  return likelihood_of(likelihood);
}

LikelihoodEntry laplace_entry() {
  return {.name = "laplace",
          .title = "Laplace",
          .description = "A pixel lies about the decoder's output with exponential tails, which forgive outliers.",
          .usual = laplace(LaplaceLikelihood{}.variance)};
}

}  // namespace vaeguard::models
