// Activations over many floats, compiled once per instruction set.
#pragma once

#include <cstdint>

#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks::native {

/// An activation with its constants, as LayerOptions has them.
struct Function {
  Activation activation = Activation::none;
  float slope = 0.0F;
  float low = 0.0F;
  float high = 0.0F;
};

/// `count` runs of `length` neighbouring values; null: one that begins at 0.
struct Runs {
  std::int64_t length = 0;
  std::int64_t count = 1;
  const std::int64_t* first = nullptr;
};

/// y[i] = f(x[i]), which may take the place of x, and slopes[i] = f'(x[i]). The same bits on every instruction
/// set: multiplies and adds are never fused.
using Activate = void(const Function& f, const Runs& runs, const float* x, float* y, float* slopes);

Activate activate_generic;
#if defined(__x86_64__)
Activate activate_avx2;
Activate activate_avx512;
#endif

}  // namespace vaeguard::networks::native
