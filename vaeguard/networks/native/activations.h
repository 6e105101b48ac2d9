// Activations over many floats, compiled once per instruction set.
#pragma once

#include <cstdint>

#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks::native {

/// An activation with its constants, as LayerOptions has them.
struct Function {
  Activation activation;
  float slope;
  float low;
  float high;
};

/// What the derivative is computed from, so that the other need not be kept.
enum class Reads : std::uint8_t { input, output };
constexpr Reads derivative_reads(Activation activation) {
  switch (activation) {
    case Activation::leaky_relu:
    case Activation::silu:
    case Activation::clamp:
    case Activation::softplus:
      return Reads::input;
    default:
      return Reads::output;
  }
}

/// The same bits on every instruction set: multiplies and adds are never fused.
struct ActivationKernels {
  /// y[i] = f(x[i])
  void (*activate)(const Function& f, const float* x, float* y, std::int64_t count);
  /// to[i] = g[i] f'(x[i]), given x or y = f(x), whichever derivative_reads() names; `to` may be g.
  void (*derive)(const Function& f, const float* x, const float* y, const float* g, float* to, std::int64_t count);
};

extern const ActivationKernels kGenericActivations;
#if defined(__x86_64__)
extern const ActivationKernels kAvx2Activations;
extern const ActivationKernels kAvx512Activations;
#endif

}  // namespace vaeguard::networks::native
