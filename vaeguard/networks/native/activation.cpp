// Loops that compilers vectorise, one for each activation.
#include "vaeguard/networks/native/activation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "vaeguard/base/exponential.h"

namespace vaeguard::networks::native {
namespace {

float sigmoid_of(float x) { return sigmoid(x, exponential_of_negative(-std::abs(x))); }

// tanh |x| = (1 - e) / (1 + e) with e = exp(-2 |x|)
float tanh_of(float x) {
  const float e = exponential_of_negative(-2.0F * std::abs(x));
  return std::copysign((1.0F - e) / (1.0F + e), x);
}

// exp(x), infinite where a float is; below -87 it stays exp(-87).
float exponential(float x) {
  const float e = exponential_of_negative(-std::abs(x));
  const float half = exponential_of_negative(-0.5F * std::abs(x));
  return x > 87.0F ? 1.0F / half / half : x > 0.0F ? 1.0F / e : e;
}

float softplus_of(float x) { return std::max(x, 0.0F) + std::log1p(exponential_of_negative(-std::abs(x))); }

template <typename Function>
void each(const float* x, float* y, std::int64_t count, Function function) {
  for (std::int64_t i = 0; i < count; ++i) {
    y[i] = function(x[i]);
  }
}

template <typename Function>
void multiply_each(const float* x, const float* y, float* g, std::int64_t count, Function function) {
  for (std::int64_t i = 0; i < count; ++i) {
    g[i] *= function(x[i], y[i]);
  }
}

}  // namespace

void activate(const LayerOptions& options, const float* x, float* y, std::int64_t count) {
  const auto a = static_cast<float>(options.slope);
  const auto low = static_cast<float>(options.low);
  const auto high = static_cast<float>(options.high);
  switch (options.activation) {
    case Activation::none:
      return each(x, y, count, [](float v) { return v; });
    case Activation::relu:
      return each(x, y, count, [](float v) { return v > 0.0F ? v : 0.0F; });
    case Activation::leaky_relu:
      return each(x, y, count, [a](float v) { return v > 0.0F ? v : a * v; });
    case Activation::elu:
      return each(x, y, count,
                  [a](float v) { return v > 0.0F ? v : a * (exponential_of_negative(std::min(v, 0.0F)) - 1.0F); });
    case Activation::silu:
      return each(x, y, count, [](float v) { return v * sigmoid_of(v); });
    case Activation::tanh:
      return each(x, y, count, tanh_of);
    case Activation::sigmoid:
      return each(x, y, count, sigmoid_of);
    case Activation::exp:
      return each(x, y, count, exponential);
    case Activation::clamp:
      return each(x, y, count, [low, high](float v) { return v < low ? low : v > high ? high : v; });
    case Activation::softplus:
      return each(x, y, count, softplus_of);
  }
}

void multiply_by_derivative(const LayerOptions& options, const float* x, const float* y, float* g, std::int64_t count) {
  const auto a = static_cast<float>(options.slope);
  const auto low = static_cast<float>(options.low);
  const auto high = static_cast<float>(options.high);
  switch (options.activation) {
    case Activation::none:
      return;
    case Activation::relu:
      return multiply_each(x, y, g, count, [](float v, float) { return v > 0.0F ? 1.0F : 0.0F; });
    case Activation::leaky_relu:
      return multiply_each(x, y, g, count, [a](float v, float) { return v > 0.0F ? 1.0F : a; });
    case Activation::elu:
      return multiply_each(x, y, g, count, [a](float v, float w) { return v > 0.0F ? 1.0F : w + a; });
    case Activation::silu:
      return multiply_each(x, y, g, count, [](float v, float w) {
        const float gate = sigmoid_of(v);
        return gate + w * (1.0F - gate);
      });
    case Activation::tanh:
      return multiply_each(x, y, g, count, [](float, float w) { return 1.0F - w * w; });
    case Activation::sigmoid:
      return multiply_each(x, y, g, count, [](float, float w) { return w * (1.0F - w); });
    case Activation::exp:
      return multiply_each(x, y, g, count, [](float, float w) { return w; });
    case Activation::clamp:
      return multiply_each(x, y, g, count, [low, high](float v, float) { return v > low && v <= high ? 1.0F : 0.0F; });
    case Activation::softplus:
      return multiply_each(x, y, g, count, [](float v, float) { return sigmoid_of(v); });
  }
}

}  // namespace vaeguard::networks::native
