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

struct Result {
  Vector value;
  Vector slope;
};

template <typename Call>
inline void each(const Runs& runs, const float* x, float* y, float* slopes, Call function) {
  for (std::int64_t run = 0; run < runs.count; ++run) {
    std::int64_t i = runs.first == nullptr ? 0 : runs.first[run];
    for (std::int64_t left = runs.length; left > 0; left -= kWidth, i += kWidth) {
      const bool whole = left >= kWidth;
      const Result result = function(whole ? load(x + i) : load_some(x + i, left));
      if (whole) {
        store(y + i, result.value);
        store(slopes + i, result.slope);
      } else {
        store_some(y + i, result.value, left);
        store_some(slopes + i, result.slope, left);
      }
    }
  }
}

inline Result silu(Vector x) {
  const Vector gate = sigmoid(x);
  return {x * gate, gate + x * gate * (1.0F - gate)};
}

inline Result elu(Vector x, float slope) {
  const Vector y = x > 0.0F ? x : slope * (exponential_of_negative(x > 0.0F ? Vector{} : x) - 1.0F);
  return {y, y > 0.0F ? all(1.0F) : y + slope};
}

void activate(const Function& f, const Runs& runs, const float* x, float* y, float* slopes) {
  const Vector one = all(1.0F);
  const float slope = f.slope;
  const float low = f.low;
  const float high = f.high;
  const auto every = [=](auto function) { each(runs, x, y, slopes, function); };
  switch (f.activation) {
    case Activation::none:
      return every([=](Vector v) { return Result{v, one}; });
    case Activation::relu:
      return every([=](Vector v) { return Result{v > 0.0F ? v : Vector{}, v > 0.0F ? one : Vector{}}; });
    case Activation::leaky_relu:
      return every([=](Vector v) { return Result{v > 0.0F ? v : slope * v, v > 0.0F ? one : all(slope)}; });
    case Activation::elu:
      return every([=](Vector v) { return elu(v, slope); });
    case Activation::silu:
      return every([](Vector v) { return silu(v); });
    case Activation::tanh:
      return every([](Vector v) {
        const Vector y = tanh(v);
        return Result{y, 1.0F - y * y};
      });
    case Activation::sigmoid:
      return every([](Vector v) {
        const Vector y = sigmoid(v);
        return Result{y, y * (1.0F - y)};
      });
    case Activation::exp:
      return every([](Vector v) {
        const Vector y = exponential(v);
        return Result{y, y};
      });
    case Activation::clamp:
      return every([=](Vector v) {
        return Result{v < low ? all(low) : v > high ? all(high) : v, v > low ? v <= high ? one : Vector{} : Vector{}};
      });
    case Activation::softplus:
      return every([](Vector v) { return Result{softplus(v), sigmoid(v)}; });
  }
}

}  // namespace
}  // namespace vaeguard::networks::native
