// Activations for any vector width; each activations_<isa>.cpp includes this once with its own flags.
// Multiplies and adds are never fused here, so that every instruction set gives the same bits. Nothing here may
// instantiate a library template: the linker would keep one instruction set's copy for all.
#include "vaeguard/networks/native/activations.h"

namespace vaeguard::networks::native {
namespace {

constexpr std::int64_t kWidth = VAEGUARD_VECTOR_BYTES / 4;
typedef float Vector __attribute__((vector_size(VAEGUARD_VECTOR_BYTES), aligned(4), may_alias));
typedef std::int32_t Integers __attribute__((vector_size(VAEGUARD_VECTOR_BYTES), aligned(4), may_alias));

inline Vector all(float value) { return Vector{} + value; }
inline Vector absolute(Vector x) { return reinterpret_cast<Vector>(reinterpret_cast<Integers>(x) & 0x7FFFFFFF); }
inline Vector larger(Vector x, float bound) { return x < bound ? all(bound) : x; }

// Bit for bit as exponential_of_negative of base/exponential.h.
inline Vector exponential_of_negative(Vector x) {
  constexpr float kRound = 12582912.0F;
  const Vector clamped = larger(x, -87.0F);
  const Vector shifted = clamped * 1.44269504F + kRound;
  const Vector n = shifted - kRound;
  const Vector r = (clamped - n * 0.693359375F) + n * 2.12194440e-4F;
  Vector p = all(1.0F / 720.0F);
  p = p * r + 1.0F / 120.0F;
  p = p * r + 1.0F / 24.0F;
  p = p * r + 1.0F / 6.0F;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  return p * reinterpret_cast<Vector>((reinterpret_cast<Integers>(shifted) + 127) << 23);
}

inline Vector sigmoid(Vector x) {
  const Vector e = exponential_of_negative(-absolute(x));
  return (x >= 0.0F ? all(1.0F) : e) / (1.0F + e);
}

// tanh |x| = (1 - e) / (1 + e) with e = exp(-2 |x|)
inline Vector tanh(Vector x) {
  const Vector e = exponential_of_negative(-2.0F * absolute(x));
  const Integers sign = reinterpret_cast<Integers>(x) & static_cast<std::int32_t>(0x80000000U);
  return reinterpret_cast<Vector>(reinterpret_cast<Integers>((1.0F - e) / (1.0F + e)) | sign);
}

// Overflows to infinity as std::exp does; below -87 it stays exp(-87).
inline Vector exponential(Vector x) {
  const Vector e = exponential_of_negative(-absolute(x));
  const Vector half = exponential_of_negative(-0.5F * absolute(x));
  return x > 87.0F ? 1.0F / half / half : x > 0.0F ? 1.0F / e : e;
}

inline Vector softplus(Vector x) {
  Vector y = exponential_of_negative(-absolute(x));
  for (std::int64_t i = 0; i < kWidth; ++i) {
    y[i] = __builtin_log1pf(y[i]);
  }
  return larger(x, 0.0F) + y;
}

// The vector at `from`, of which only the first `count` values exist.
inline Vector load_some(const float* from, std::int64_t count) {
  Vector values{};
  for (std::int64_t i = 0; i < count; ++i) {
    values[i] = from[i];
  }
  return values;
}
inline void store_some(float* to, Vector values, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    to[i] = values[i];
  }
}
inline Vector load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
inline void store(float* to, Vector values) { *reinterpret_cast<Vector*>(to) = values; }

// y = function(x)
template <typename Call>
inline void each(const float* x, float* y, std::int64_t count, Call function) {
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    store(y + i, function(load(x + i)));
  }
  store_some(y + i, function(load_some(x + i, count - i)), count - i);
}

// to = g * function(x)
template <typename Call>
inline void each(const float* x, const float* g, float* to, std::int64_t count, Call function) {
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    store(to + i, load(g + i) * function(load(x + i)));
  }
  const std::int64_t rest = count - i;
  store_some(to + i, load_some(g + i, rest) * function(load_some(x + i, rest)), rest);
}

void activate(const Function& f, const float* x, float* y, std::int64_t count) {
  const float slope = f.slope;
  const float low = f.low;
  const float high = f.high;
  switch (f.activation) {
    case Activation::none:
      return each(x, y, count, [](Vector v) { return v; });
    case Activation::relu:
      return each(x, y, count, [](Vector v) { return v > 0.0F ? v : Vector{}; });
    case Activation::leaky_relu:
      return each(x, y, count, [=](Vector v) { return v > 0.0F ? v : slope * v; });
    case Activation::elu:
      return each(x, y, count, [=](Vector v) {
        return v > 0.0F ? v : slope * (exponential_of_negative(v > 0.0F ? Vector{} : v) - 1.0F);
      });
    case Activation::silu:
      return each(x, y, count, [](Vector v) { return v * sigmoid(v); });
    case Activation::tanh:
      return each(x, y, count, [](Vector v) { return tanh(v); });
    case Activation::sigmoid:
      return each(x, y, count, [](Vector v) { return sigmoid(v); });
    case Activation::exp:
      return each(x, y, count, [](Vector v) { return exponential(v); });
    case Activation::clamp:
      return each(x, y, count, [=](Vector v) { return v < low ? all(low) : v > high ? all(high) : v; });
    case Activation::softplus:
      return each(x, y, count, [](Vector v) { return softplus(v); });
  }
}

void derive(const Function& f, const float* x, const float* y, const float* g, float* to, std::int64_t count) {
  const Vector one = all(1.0F);
  const float slope = f.slope;
  const float low = f.low;
  const float high = f.high;
  switch (f.activation) {
    case Activation::none:
      return each(y, g, to, count, [=](Vector) { return one; });
    case Activation::relu:
      return each(y, g, to, count, [=](Vector w) { return w > 0.0F ? one : Vector{}; });
    case Activation::leaky_relu:
      return each(x, g, to, count, [=](Vector v) { return v > 0.0F ? one : all(slope); });
    case Activation::elu:
      return each(y, g, to, count, [=](Vector w) { return w > 0.0F ? one : w + slope; });
    case Activation::silu:
      return each(x, g, to, count, [](Vector v) {
        const Vector gate = sigmoid(v);
        return gate + v * gate * (1.0F - gate);
      });
    case Activation::tanh:
      return each(y, g, to, count, [](Vector w) { return 1.0F - w * w; });
    case Activation::sigmoid:
      return each(y, g, to, count, [](Vector w) { return w * (1.0F - w); });
    case Activation::exp:
      return each(y, g, to, count, [](Vector w) { return w; });
    case Activation::clamp:
      return each(x, g, to, count, [=](Vector v) { return v > low ? v <= high ? one : Vector{} : Vector{}; });
    case Activation::softplus:
      return each(x, g, to, count, [](Vector v) { return sigmoid(v); });
  }
}

}  // namespace
}  // namespace vaeguard::networks::native
