// The exponential in float, from operations that every compiler vectorises, and the sigmoid built on it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <numbers>

namespace vaeguard {

/// exp(x) for x <= 0 to a relative error of 2e-7 (to exp(-87) below): x = n log 2 + r, a polynomial for exp(r), and n
/// added to the exponent bits.
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

/// 1 / (1 + exp(-x)), given e = exp(-|x|).
inline float sigmoid(float x, float e) { return (x >= 0.0F ? 1.0F : e) / (1.0F + e); }

}  // namespace vaeguard
