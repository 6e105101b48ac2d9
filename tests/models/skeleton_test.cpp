// The skeleton of docs/guide/add-a-likelihood.md, compiled and run; the page must show exactly what stands here.
#include "tests/models/likelihood_contract.h"

// The logistic on means m with fixed scale s: -log p = sum d / s + 2 log(1 + exp(-d / s)) + log s, d = |x - m|.
#include <algorithm>
#include <cmath>

#include "vaeguard/models/likelihood_entry.h"

namespace vaeguard::models {
namespace {

struct LogisticLikelihood : LikeliestAtMean {
  double scale = 0.1;

  [[nodiscard]] std::string_view name() const { return "logistic"; }
  static const OptionSchema<LogisticLikelihood>& schema() {
    static const auto schema = OptionSchema<LogisticLikelihood>().number("scale", &LogisticLikelihood::scale,
                                                                         above(0.0), "of a pixel about its mean");
    return schema;
  }

  double negative_log(std::span<const float> image, std::span<const float> means, std::span<float> gradient) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < image.size(); ++i) {
      sum += pixel(image[i], means[i]).value;
    }
    this->gradient(image, means, gradient);
    return sum;
  }
  void gradient(std::span<const float> image, std::span<const float> means, std::span<float> gradient) const {
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] = static_cast<float>(pixel(image[i], means[i]).slope);
    }
  }
  [[nodiscard]] PixelTerms pixel(double x, double mean) const {
    const double distance = std::abs(mean - x) / scale;
    const double slope = std::tanh(0.5 * (mean - x) / scale);
    return {distance + 2.0 * std::log1p(std::exp(-distance)) + std::log(scale), slope / scale,
            0.5 * (1.0 - slope * slope) / (scale * scale)};
  }
  // d = t tanh((m - x - d) / (2 s)), by bisection between x and the mean.
  [[nodiscard]] double likelier_step(float x, float mean, double t) const {
    const double gap = static_cast<double>(mean) - x;
    double low = std::min(gap, 0.0);
    double high = std::max(gap, 0.0);
    for (int i = 0; i < 60; ++i) {
      const double middle = 0.5 * (low + high);
      (middle < t * std::tanh(0.5 * (gap - middle) / scale) ? low : high) = middle;
    }
    return t > 0.0 ? 0.5 * (low + high) : 0.0;
  }
};

}  // namespace

LikelihoodEntry logistic_entry() {
  return {.name = "logistic",
          .title = "Logistic",
          .description = "A pixel lies about the decoder's output with a smooth peak and exponential tails.",
          .usual = likelihood_of(LogisticLikelihood{})};
}

}  // namespace vaeguard::models

namespace vaeguard::models {
namespace {

TEST(LikelihoodSkeleton, KeepsTheContract) {
  const Likelihood logistic = logistic_entry().usual;
  expect_contract(logistic);
  Value wide;
  wide.set("scale", 0.3);
  expect_contract(logistic.with(wide));
  EXPECT_EQ(describe(logistic.with(wide)), "logistic, scale 0.3");
}

}  // namespace
}  // namespace vaeguard::models
