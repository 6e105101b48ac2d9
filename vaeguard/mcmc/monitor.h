// The scalars that diagnostics watch: every coordinate of a small code, random projections of a large one.
#pragma once

#include <cstdint>

#include "vaeguard/base/matrix.h"
#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {

/// Codes with more dimensions than this are large.
inline constexpr std::int64_t kLargestSmallCode = 4096;
/// Directions onto which large codes are projected.
inline constexpr std::int64_t kProjections = 32;

/// All coordinates of a small code; for a large one, its projections onto kProjections random directions g / |g|,
/// g ~ N(0, I), the same in every run, and its energy. These reveal a chain that has not converged, unless only a few
/// of its many coordinates lag behind.
class Monitor {
 public:
  explicit Monitor(std::int64_t dimension);
  [[nodiscard]] bool every_coordinate() const { return directions_.empty(); }
  /// The number of scalars per chain.
  [[nodiscard]] std::int64_t scalars() const;
  /// The scalars of n chains [n, scalars()].
  [[nodiscard]] Matrix watch(const State& state) const;

 private:
  std::int64_t dimension_;
  Matrix directions_;  // [D, kProjections]; empty for small codes
};

}  // namespace vaeguard::mcmc
