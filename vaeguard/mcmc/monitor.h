// The scalars of a chain that diagnostics look at: every coordinate of a small code, projections of a large one.
#pragma once

#include <cstdint>

#include "vaeguard/base/matrix.h"
#include "vaeguard/mcmc/state.h"

namespace vaeguard::mcmc {

/// Codes of more dimensions are large.
inline constexpr std::int64_t kLargestSmallCode = 4096;
/// Directions on which large codes are projected.
inline constexpr std::int64_t kProjections = 32;

/// All coordinates of a small code. Of a large one its projections on kProjections random directions g / |g|,
/// g ~ N(0, I), the same in every run, and its energy. They reveal a chain that has not settled, unless only a few of
/// its many coordinates lag behind.
class Monitor {
 public:
  explicit Monitor(std::int64_t dimension);
  [[nodiscard]] bool every_coordinate() const { return directions_.empty(); }
  /// How many scalars there are of each chain.
  [[nodiscard]] std::int64_t scalars() const;
  /// [n, scalars()] of n chains.
  [[nodiscard]] Matrix watch(const State& state) const;

 private:
  std::int64_t dimension_;
  Matrix directions_;  // [D, kProjections]; empty for small codes
};

}  // namespace vaeguard::mcmc
