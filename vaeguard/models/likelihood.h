// Likelihoods p(x|z) on the decoder's outputs: negative log-likelihood, its gradient, and the mean image.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vaeguard::models {

enum class LikelihoodKind {
  bernoulli,
  gaussian,
  laplace,
  clamped_bernoulli,  // of published runs alone
};

/// -log p of one pixel in nats, and its first and second derivative by the pixel's parameter.
struct PixelTerms {
  double value = 0.0;
  double slope = 0.0;
  double curvature = 0.0;
};

/// An interval of parameters.
struct ParameterRange {
  double first;
  double last;
};

/// Bernoulli on logits l: -log p = sum softplus(l) - x l, gradient sigmoid(l) - x; no clamp, no log of a sigmoid.
/// Gaussian on means m with fixed variance s^2: -log p = sum (x - m)^2 / (2 s^2) + log(2 pi s^2) / 2.
/// Laplace on means m with scale b, so with variance 2 b^2: -log p = sum |x - m| / b + log(2 b), gradient sign(m - x) /
/// b and 0 where x = m.
/// Clamped Bernoulli on unbounded outputs p, as the paper's code has it for colours, kept to repeat its runs: with c =
/// p clamped to [1e-5, 1 - 1e-5], -log p = -sum x log c + (1 - x) log(1 - c), gradient (c - x) / (c (1 - c)) inside and
/// 0 outside, where nothing is learned. Its mean image is p as it is, which may lie outside [0, 1].
struct Likelihood {
  LikelihoodKind kind = LikelihoodKind::bernoulli;
  double variance = 1.0;  // of a pixel, for Gaussian and Laplace

  /// -log p(x | parameters) in nats, summed in double; writes its gradient with respect to `parameters` unless empty.
  double negative_log(std::span<const float> image, std::span<const float> parameters, std::span<float> gradient) const;
  /// The gradient that negative_log writes, bit for bit, without the sum.
  void gradient(std::span<const float> image, std::span<const float> parameters, std::span<float> gradient) const;
  /// The second derivative of each pixel's -log p by its parameter: the diagonal of a Hessian that has nothing else.
  void curvature(std::span<const float> image, std::span<const float> parameters, std::span<float> curvature) const;
  /// The same terms of one pixel, plainly and in double: the truth that the others are tested against.
  [[nodiscard]] PixelTerms pixel(double x, double parameter) const;

  /// E[x | parameters].
  void mean(std::span<const float> parameters, std::span<float> image) const;
  /// Pulls a gradient at the mean image, whose values are `mean`, back to the parameters.
  void pull_mean(std::span<const float> mean, std::span<const double> image_gradient, std::span<float> gradient) const;

  /// The pixel within [low, high] that the parameter makes likeliest; x where all are equally likely.
  [[nodiscard]] float likeliest_pixel(float x, float parameter, float low, float high) const;
  /// Whether that pixel is the mean itself, so that it moves with the parameter and nothing depends on it.
  [[nodiscard]] bool follows(float parameter, float low, float high) const;
  /// The step d that minimises -log p(x + d) + d^2 / (2 t), up to a factor of t that depends on the likelihood alone.
  /// It grows with t >= 0.
  [[nodiscard]] double likelier_step(float x, float parameter, double t) const;
  /// Where parameters of pixels from 0 to 1 usually lie.
  [[nodiscard]] ParameterRange usual_parameters() const;

  /// b of the Laplace.
  [[nodiscard]] double scale() const;
  /// Whether only published runs have it, so that nothing new should be built on it.
  [[nodiscard]] bool published_only() const { return kind == LikelihoodKind::clamped_bernoulli; }
  friend bool operator==(const Likelihood&, const Likelihood&) = default;
};

/// All there are.
std::span<const LikelihoodKind> likelihood_kinds();
std::string_view name(LikelihoodKind kind);
/// "bernoulli"; "gaussian, variance 0.5".
std::string describe(const Likelihood& likelihood);
LikelihoodKind likelihood_kind(std::string_view name);

}  // namespace vaeguard::models
