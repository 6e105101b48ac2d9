// The Bernoulli on unbounded outputs p, as the paper's code has it for colours, kept to repeat its runs: with c = p
// clamped to [1e-5, 1 - 1e-5], -log p = -sum x log c + (1 - x) log(1 - c), gradient (c - x) / (c (1 - c)) inside and 0
// outside, where nothing is learned. Its mean image is p as it is, which may lie outside [0, 1].
#include <algorithm>
#include <cmath>
#include <span>

#include "vaeguard/models/likelihood_entry.h"

namespace vaeguard::models {
namespace {

constexpr double kClamp = 1e-5;

double clamped(double output) { return std::clamp(output, kClamp, 1.0 - kClamp); }

struct ClampedBernoulliLikelihood : LinearInPixel, ParameterIsMean {
  [[nodiscard]] std::string_view name() const { return "clamped_bernoulli"; }
  static const OptionSchema<ClampedBernoulliLikelihood>& schema() {
    static const OptionSchema<ClampedBernoulliLikelihood> none;
    return none;
  }

  double negative_log(std::span<const float> image, std::span<const float> outputs, std::span<float> gradient) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < image.size(); ++i) {
      const double p = clamped(outputs[i]);
      sum -= image[i] * std::log(p) + (1.0 - image[i]) * std::log1p(-p);
    }
    this->gradient(image, outputs, gradient);
    return sum;
  }
  void gradient(std::span<const float> image, std::span<const float> outputs, std::span<float> gradient) const {
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const double p = outputs[i];
      const bool inside = p >= kClamp && p <= 1.0 - kClamp;
      gradient[i] = inside ? static_cast<float>((p - image[i]) / (p * (1.0 - p))) : 0.0F;
    }
  }
  [[nodiscard]] PixelTerms pixel(double x, double output) const {
    const double c = clamped(output);
    const double value = -x * std::log(c) - (1.0 - x) * std::log1p(-c);
    return c != output
               ? PixelTerms{value}
               : PixelTerms{value, (c - x) / (c * (1.0 - c)), x / (c * c) + (1.0 - x) / ((1.0 - c) * (1.0 - c))};
  }

  [[nodiscard]] float likeliest_pixel(float x, float output, PixelInterval interval) const {
    return end(x, logit(output), interval);
  }
  [[nodiscard]] double likelier_step(float /*x*/, float output, double t) const { return t * logit(output); }

 private:
  static double logit(double output) { return std::log(clamped(output)) - std::log1p(-clamped(output)); }
};

}  // namespace

Likelihood clamped_bernoulli() {
  static const Likelihood only = likelihood_of(ClampedBernoulliLikelihood{});
  return only;
}

LikelihoodEntry clamped_bernoulli_entry() {
  return {.name = "clamped_bernoulli",
          .title = "Clamped Bernoulli",
          .description = "The Bernoulli on outputs clamped to [1e-5, 1 - 1e-5], as published for colours.",
          .usual = clamped_bernoulli(),
          .caution = "For published runs alone: it learns nothing where its outputs leave [0, 1]."};
}

}  // namespace vaeguard::models
