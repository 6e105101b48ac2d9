// Bernoulli on logits and Gaussian with fixed variance.
#include "vaeguard/models/likelihood.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "vaeguard/base/error.h"

namespace vaeguard::models {
namespace {

// exp(x) for x <= 0 to a relative error of 2e-7, in operations that every compiler vectorises: x = n log 2 + r,
// a polynomial for exp(r), and n added to the exponent bits.
inline float exponential_of_negative(float x) {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  const float clamped = std::max(x, -87.0F);
  const float shifted = clamped * std::numbers::log2e_v<float> + kRound;
  const float n = shifted - kRound;
  const float r = (clamped - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.0F / 720.0F;
  p = p * r + 1.0F / 120.0F;
  p = p * r + 1.0F / 24.0F;
  p = p * r + 1.0F / 6.0F;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const auto exponent = (std::bit_cast<std::int32_t>(shifted) + 127) << 23;
  return p * std::bit_cast<float>(exponent);
}

// sigmoid(l), given e = exp(-|l|).
inline float sigmoid(float logit, float e) { return (logit >= 0.0F ? 1.0F : e) / (1.0F + e); }

// softplus(l) = max(l, 0) + log(1 + exp(-|l|)). The logarithms of a block are taken as one, of the product in double:
// its factors lie in [1, 2], so 512 of them cannot overflow.
double bernoulli(std::span<const float> image, std::span<const float> logits, std::span<float> gradient) {
  constexpr std::size_t kTerms = 512;
  double sum = 0.0;
  for (std::size_t begin = 0; begin < image.size(); begin += kTerms) {
    const std::size_t count = std::min(kTerms, image.size() - begin);
    float e[kTerms];
    for (std::size_t i = 0; i < count; ++i) {
      e[i] = exponential_of_negative(-std::abs(logits[begin + i]));
    }
    double product = 1.0;
    for (std::size_t i = 0; i < count; ++i) {
      const float l = logits[begin + i];
      product *= 1.0 + static_cast<double>(e[i]);
      sum += static_cast<double>(std::max(l, 0.0F)) - static_cast<double>(image[begin + i]) * l;
    }
    sum += std::log(product);
    if (!gradient.empty()) {
      for (std::size_t i = 0; i < count; ++i) {
        gradient[begin + i] = sigmoid(logits[begin + i], e[i]) - image[begin + i];
      }
    }
  }
  return sum;
}

double gaussian(std::span<const float> image, std::span<const float> means, double variance,
                std::span<float> gradient) {
  double sum = 0.0;
  for (std::size_t i = 0; i < image.size(); ++i) {
    const double difference = static_cast<double>(means[i]) - image[i];
    sum += difference * difference;
  }
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    gradient[i] = static_cast<float>((static_cast<double>(means[i]) - image[i]) / variance);
  }
  return 0.5 * sum / variance + 0.5 * static_cast<double>(image.size()) * std::log(2.0 * std::numbers::pi * variance);
}

}  // namespace

double Likelihood::negative_log(std::span<const float> image, std::span<const float> parameters,
                                std::span<float> gradient) const {
  return kind == LikelihoodKind::bernoulli ? bernoulli(image, parameters, gradient)
                                           : gaussian(image, parameters, variance, gradient);
}

void Likelihood::mean(std::span<const float> parameters, std::span<float> image) const {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const float p = parameters[i];
    image[i] = kind == LikelihoodKind::bernoulli ? sigmoid(p, exponential_of_negative(-std::abs(p))) : p;
  }
}

std::string_view name(LikelihoodKind kind) { return kind == LikelihoodKind::bernoulli ? "bernoulli" : "gaussian"; }

LikelihoodKind likelihood_kind(std::string_view text) {
  if (text == "bernoulli" || text == "gaussian") {
    return text == "bernoulli" ? LikelihoodKind::bernoulli : LikelihoodKind::gaussian;
  }
  misuse("models.likelihood", "likelihood must be bernoulli or gaussian, got '{}'", text);
}

}  // namespace vaeguard::models
