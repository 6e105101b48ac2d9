// Likelihoods p(x|z) on the decoder's outputs: negative log-likelihood, its gradient, and the mean image.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vaeguard::models {

enum class LikelihoodKind { bernoulli, gaussian, laplace, clamped_bernoulli };

/// Bernoulli on logits l: -log p = sum softplus(l) - x l, gradient sigmoid(l) - x; no clamp, no log of a sigmoid.
/// Gaussian on means m with fixed variance s^2: -log p = sum (x - m)^2 / (2 s^2) + log(2 pi s^2) / 2.
/// Laplace on means m with scale b, so with variance 2 b^2: -log p = sum |x - m| / b + log(2 b), gradient sign(m - x) /
/// b and 0 where x = m.
/// Clamped Bernoulli on unbounded outputs p, as the paper's code has it for colours and only to repeat that: with c = p
/// clamped to [1e-5, 1 - 1e-5], -log p = -sum x log c + (1 - x) log(1 - c), gradient (c - x) / (c (1 - c)) inside and 0
/// outside, where nothing is learned. Its mean image is p as it is, which may lie outside [0, 1].
struct Likelihood {
  LikelihoodKind kind = LikelihoodKind::bernoulli;
  double variance = 1.0;  // of a pixel, for Gaussian and Laplace

  /// -log p(x | parameters) in nats, summed in double; writes its gradient with respect to `parameters` unless empty.
  double negative_log(std::span<const float> image, std::span<const float> parameters, std::span<float> gradient) const;
  /// The gradient that negative_log writes, bit for bit, without the sum.
  void gradient(std::span<const float> image, std::span<const float> parameters, std::span<float> gradient) const;
  /// b of the Laplace.
  [[nodiscard]] double scale() const;
  /// E[x | parameters].
  void mean(std::span<const float> parameters, std::span<float> image) const;
  friend bool operator==(const Likelihood&, const Likelihood&) = default;
};

std::string_view name(LikelihoodKind kind);
/// "bernoulli"; "gaussian, variance 0.5".
std::string describe(const Likelihood& likelihood);
LikelihoodKind likelihood_kind(std::string_view name);

}  // namespace vaeguard::models
