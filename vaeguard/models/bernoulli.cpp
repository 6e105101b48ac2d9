// The Bernoulli on logits l: -log p = sum softplus(l) - x l, gradient sigmoid(l) - x; no clamp, no log of a sigmoid.
#include <algorithm>
#include <cmath>
#include <span>

#include "vaeguard/base/exponential.h"
#include "vaeguard/models/likelihood_entry.h"

namespace vaeguard::models {
namespace {

constexpr std::size_t kTerms = 512;

// e = exp(-|l|)
void exponentials(std::span<const float> logits, float* e) {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    e[i] = exponential_of_negative(-std::abs(logits[i]));
  }
}

void slopes(std::span<const float> image, std::span<const float> logits, const float* e, std::span<float> gradient) {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    gradient[i] = sigmoid(logits[i], e[i]) - image[i];
  }
}

struct BernoulliLikelihood : LinearInPixel {
  [[nodiscard]] std::string_view name() const { return "bernoulli"; }
  static const OptionSchema<BernoulliLikelihood>& schema() {
    static const OptionSchema<BernoulliLikelihood> none;
    return none;
  }

  // softplus(l) = max(l, 0) + log(1 + exp(-|l|)). A block takes one logarithm, of the product in double: its factors
  // lie in [1, 2], so 512 of them cannot overflow.
  double negative_log(std::span<const float> image, std::span<const float> logits, std::span<float> gradient) const {
    double sum = 0.0;
    for (std::size_t begin = 0; begin < image.size(); begin += kTerms) {
      const std::size_t count = std::min(kTerms, image.size() - begin);
      float e[kTerms];
      exponentials(logits.subspan(begin, count), e);
      double product = 1.0;
      for (std::size_t i = 0; i < count; ++i) {
        const float l = logits[begin + i];
        product *= 1.0 + static_cast<double>(e[i]);
        sum += static_cast<double>(std::max(l, 0.0F)) - static_cast<double>(image[begin + i]) * l;
      }
      sum += std::log(product);
      if (!gradient.empty()) {
        slopes(image.subspan(begin, count), logits.subspan(begin, count), e, gradient.subspan(begin, count));
      }
    }
    return sum;
  }
  void gradient(std::span<const float> image, std::span<const float> logits, std::span<float> gradient) const {
    float e[kTerms];
    for (std::size_t begin = 0; begin < image.size(); begin += kTerms) {
      const std::size_t count = std::min(kTerms, image.size() - begin);
      exponentials(logits.subspan(begin, count), e);
      slopes(image.subspan(begin, count), logits.subspan(begin, count), e, gradient.subspan(begin, count));
    }
  }
  [[nodiscard]] PixelTerms pixel(double x, double logit) const {
    const double mean = 1.0 / (1.0 + std::exp(-logit));
    return {std::max(logit, 0.0) + std::log1p(std::exp(-std::abs(logit))) - x * logit, mean - x, mean * (1.0 - mean)};
  }

  [[nodiscard]] float mean(float logit) const { return sigmoid(logit, exponential_of_negative(-std::abs(logit))); }
  [[nodiscard]] double mean_slope(double mean) const { return mean * (1.0 - mean); }
  [[nodiscard]] double mean_curvature(double mean) const { return mean * (1.0 - mean) * (1.0 - 2.0 * mean); }
  [[nodiscard]] float likeliest_pixel(float x, float logit, PixelInterval interval) const {
    return end(x, logit, interval);
  }
  [[nodiscard]] double likelier_step(float /*x*/, float logit, double t) const { return t * logit; }
  [[nodiscard]] ParameterRange usual_parameters() const { return {-12.0, 12.0}; }
};

}  // namespace

Likelihood bernoulli() {
  static const Likelihood only = likelihood_of(BernoulliLikelihood{});
  return only;
}

LikelihoodEntry bernoulli_entry() {
  return {.name = "bernoulli",
          .title = "Bernoulli",
          .description = "A pixel is the probability of white, of which the decoder gives the logit.",
          .usual = bernoulli()};
}

}  // namespace vaeguard::models
