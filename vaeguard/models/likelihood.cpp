// Bernoulli on logits and on clamped outputs, Gaussian and Laplace with fixed variance.
#include "vaeguard/models/likelihood.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/base/exponential.h"
#include "vaeguard/base/text.h"

namespace vaeguard::models {
namespace {

constexpr std::array kKinds{LikelihoodKind::bernoulli, LikelihoodKind::gaussian, LikelihoodKind::laplace,
                            LikelihoodKind::clamped_bernoulli};
constexpr std::size_t kTerms = 512;
constexpr double kClamp = 1e-5;

// e = exp(-|l|)
void exponentials(std::span<const float> logits, float* e) {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    e[i] = exponential_of_negative(-std::abs(logits[i]));
  }
}

void bernoulli_gradient(std::span<const float> image, std::span<const float> logits, const float* e,
                        std::span<float> gradient) {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    gradient[i] = sigmoid(logits[i], e[i]) - image[i];
  }
}

void gaussian_gradient(std::span<const float> image, std::span<const float> means, double variance,
                       std::span<float> gradient) {
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    gradient[i] = static_cast<float>((static_cast<double>(means[i]) - image[i]) / variance);
  }
}

// softplus(l) = max(l, 0) + log(1 + exp(-|l|)). A block takes one logarithm, of the product in double: its factors lie
// in [1, 2], so 512 of them cannot overflow.
double bernoulli(std::span<const float> image, std::span<const float> logits, std::span<float> gradient) {
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
      bernoulli_gradient(image.subspan(begin, count), logits.subspan(begin, count), e, gradient.subspan(begin, count));
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
  gaussian_gradient(image, means, variance, gradient);
  return 0.5 * sum / variance + 0.5 * static_cast<double>(image.size()) * std::log(2.0 * std::numbers::pi * variance);
}

void laplace_gradient(std::span<const float> image, std::span<const float> means, double scale,
                      std::span<float> gradient) {
  const auto slope = static_cast<float>(1.0 / scale);
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    gradient[i] = means[i] > image[i] ? slope : means[i] < image[i] ? -slope : 0.0F * (means[i] - image[i]);
  }
}

double laplace(std::span<const float> image, std::span<const float> means, double scale, std::span<float> gradient) {
  double sum = 0.0;
  for (std::size_t i = 0; i < image.size(); ++i) {
    sum += std::abs(static_cast<double>(means[i]) - image[i]);
  }
  laplace_gradient(image, means, scale, gradient);
  return sum / scale + static_cast<double>(image.size()) * std::log(2.0 * scale);
}

void clamped_bernoulli_gradient(std::span<const float> image, std::span<const float> outputs,
                                std::span<float> gradient) {
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double p = outputs[i];
    const bool inside = p >= kClamp && p <= 1.0 - kClamp;
    gradient[i] = inside ? static_cast<float>((p - image[i]) / (p * (1.0 - p))) : 0.0F;
  }
}

double clamped_bernoulli(std::span<const float> image, std::span<const float> outputs, std::span<float> gradient) {
  double sum = 0.0;
  for (std::size_t i = 0; i < image.size(); ++i) {
    const double p = std::clamp<double>(outputs[i], kClamp, 1.0 - kClamp);
    sum -= image[i] * std::log(p) + (1.0 - image[i]) * std::log1p(-p);
  }
  clamped_bernoulli_gradient(image, outputs, gradient);
  return sum;
}

}  // namespace

double Likelihood::negative_log(std::span<const float> image, std::span<const float> parameters,
                                std::span<float> gradient) const {
  switch (kind) {
    case LikelihoodKind::bernoulli:
      return bernoulli(image, parameters, gradient);
    case LikelihoodKind::gaussian:
      return gaussian(image, parameters, variance, gradient);
    case LikelihoodKind::laplace:
      return laplace(image, parameters, scale(), gradient);
    case LikelihoodKind::clamped_bernoulli:
      return clamped_bernoulli(image, parameters, gradient);
  }
  return std::nan("");
}

void Likelihood::gradient(std::span<const float> image, std::span<const float> parameters,
                          std::span<float> gradient) const {
  if (kind == LikelihoodKind::gaussian) {
    gaussian_gradient(image, parameters, variance, gradient);
    return;
  }
  if (kind == LikelihoodKind::laplace) {
    laplace_gradient(image, parameters, scale(), gradient);
    return;
  }
  if (kind == LikelihoodKind::clamped_bernoulli) {
    clamped_bernoulli_gradient(image, parameters, gradient);
    return;
  }
  float e[kTerms];
  for (std::size_t begin = 0; begin < image.size(); begin += kTerms) {
    const std::size_t count = std::min(kTerms, image.size() - begin);
    exponentials(parameters.subspan(begin, count), e);
    bernoulli_gradient(image.subspan(begin, count), parameters.subspan(begin, count), e,
                       gradient.subspan(begin, count));
  }
}

void Likelihood::mean(std::span<const float> parameters, std::span<float> image) const {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const float p = parameters[i];
    image[i] = kind == LikelihoodKind::bernoulli ? sigmoid(p, exponential_of_negative(-std::abs(p))) : p;
  }
}

void Likelihood::curvature(std::span<const float> image, std::span<const float> parameters,
                           std::span<float> curvature) const {
  for (std::size_t i = 0; i < image.size(); ++i) {
    curvature[i] = static_cast<float>(pixel(image[i], parameters[i]).curvature);
  }
}

PixelTerms Likelihood::pixel(double x, double parameter) const {
  const double difference = parameter - x;
  switch (kind) {
    case LikelihoodKind::bernoulli: {
      const double mean = 1.0 / (1.0 + std::exp(-parameter));
      return {std::max(parameter, 0.0) + std::log1p(std::exp(-std::abs(parameter))) - x * parameter, mean - x,
              mean * (1.0 - mean)};
    }
    case LikelihoodKind::gaussian: {
      const double slope = difference / variance;
      return {0.5 * difference * slope + 0.5 * std::log(2.0 * std::numbers::pi * variance), slope, 1.0 / variance};
    }
    case LikelihoodKind::laplace:
      return {std::abs(difference) / scale() + std::log(2.0 * scale()),
              static_cast<double>((difference > 0.0) - (difference < 0.0)) / scale(), 0.0};
    case LikelihoodKind::clamped_bernoulli: {
      const double c = std::clamp(parameter, kClamp, 1.0 - kClamp);
      const double value = -x * std::log(c) - (1.0 - x) * std::log1p(-c);
      return c != parameter
                 ? PixelTerms{value}
                 : PixelTerms{value, difference / (c * (1.0 - c)), x / (c * c) + (1.0 - x) / ((1.0 - c) * (1.0 - c))};
    }
  }
  return {std::nan("")};
}

void Likelihood::pull_mean(std::span<const float> mean, std::span<const double> image_gradient,
                           std::span<float> gradient) const {
  const bool logits = kind == LikelihoodKind::bernoulli;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double m = mean[i];
    gradient[i] = static_cast<float>(image_gradient[i] * (logits ? m * (1.0 - m) : 1.0));
  }
}

// Bernoulli: -log p is linear in x with slope -logit, so the pixel goes to the end that the logit's sign names.
// Elsewhere it goes as near to the mean as it may.
float Likelihood::likeliest_pixel(float x, float parameter, float low, float high) const {
  if (kind != LikelihoodKind::bernoulli) {
    return std::clamp(parameter, low, high);
  }
  return parameter == 0.0F ? x : std::clamp(parameter > 0.0F ? high : low, low, high);
}

bool Likelihood::follows(float parameter, float low, float high) const {
  return kind != LikelihoodKind::bernoulli && low < parameter && parameter < high;
}

double Likelihood::likelier_step(float x, float parameter, double t) const {
  const double gap = static_cast<double>(parameter) - x;
  return kind == LikelihoodKind::bernoulli  ? t * parameter
         : kind == LikelihoodKind::gaussian ? gap * t / (1.0 + t)
                                            : std::clamp(gap, -t, t);
}

ParameterRange Likelihood::usual_parameters() const {
  return kind == LikelihoodKind::bernoulli ? ParameterRange{-12.0, 12.0} : ParameterRange{-0.25, 1.25};
}

double Likelihood::scale() const { return std::sqrt(0.5 * variance); }

std::span<const LikelihoodKind> likelihood_kinds() { return kKinds; }

std::string_view name(LikelihoodKind kind) {
  return kind == LikelihoodKind::bernoulli  ? "bernoulli"
         : kind == LikelihoodKind::gaussian ? "gaussian"
         : kind == LikelihoodKind::laplace  ? "laplace"
                                            : "clamped_bernoulli";
}

std::string describe(const Likelihood& likelihood) {
  const bool has_variance = likelihood.kind == LikelihoodKind::gaussian || likelihood.kind == LikelihoodKind::laplace;
  return has_variance ? fmt::format("{}, variance {}", name(likelihood.kind), likelihood.variance)
                      : std::string(name(likelihood.kind));
}

LikelihoodKind likelihood_kind(std::string_view text) {
  std::vector<std::string> known;
  for (const auto kind : kKinds) {
    if (name(kind) == text) {
      return kind;
    }
    known.emplace_back(name(kind));
  }
  unknown_name("models.likelihood", "likelihood", text, known);
}

}  // namespace vaeguard::models
