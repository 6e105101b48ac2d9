// A learned prior before it is trained: RealNVP, couplings whose networks have two hidden layers.
#pragma once

#include <cstdint>
#include <string_view>

#include "vaeguard/base/option_schema.h"
#include "vaeguard/base/random.h"
#include "vaeguard/models/prior.h"

namespace vaeguard::models {

struct RealNvpOptions {
  int couplings = 4;          // an even number moves both halves equally often
  std::int64_t hidden = 128;  // units of the two hidden layers of each coupling
  double bound = 2.0;         // of |s|, the log scale

  [[nodiscard]] std::string_view name() const { return "realnvp"; }
  static const OptionSchema<RealNvpOptions>& schema();
  [[nodiscard]] PriorWeights make(std::int64_t latents, Key key) const;
};

/// Couplings of two hidden layers (SiLU, so that energies are smooth) whose last layer is zero: the standard normal,
/// ready to be trained. Throws Misuse naming the option that is out of bounds, and for fewer than 2 latents.
PriorWeights realnvp(std::int64_t latents, Key key, const RealNvpOptions& options = {});

}  // namespace vaeguard::models
