// Fixed random directions, and the projections of a state onto them.
#include "vaeguard/mcmc/monitor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "vaeguard/base/random.h"

namespace vaeguard::mcmc {
namespace {

// Columns of unit length.
Matrix random_directions(std::int64_t dimension) {
  Matrix directions(dimension, kProjections);
  std::vector<float> direction(static_cast<std::size_t>(dimension));
  for (std::int64_t r = 0; r < kProjections; ++r) {
    fill_normal(Key(0).fold("diagnostic projections").fold(static_cast<std::uint64_t>(r)), direction);
    double squares = 0.0;
    for (const float value : direction) {
      squares += static_cast<double>(value) * value;
    }
    for (std::int64_t d = 0; d < dimension; ++d) {
      directions(d, r) = static_cast<float>(direction[static_cast<std::size_t>(d)] / std::sqrt(squares));
    }
  }
  return directions;
}

}  // namespace

Monitor::Monitor(std::int64_t dimension)
    : dimension_(dimension), directions_(dimension > kLargestSmallCode ? random_directions(dimension) : Matrix()) {}

std::int64_t Monitor::scalars() const { return every_coordinate() ? dimension_ : kProjections + 1; }

Matrix Monitor::watch(const State& state) const {
  if (every_coordinate()) {
    return state.position;
  }
  Matrix result(state.chains(), scalars());
  for (std::int64_t b = 0; b < state.chains(); ++b) {
    std::array<double, kProjections> sums{};
    for (std::int64_t d = 0; d < dimension_; ++d) {
      const double z = state.position(b, d);
      const float* direction = directions_.data() + d * kProjections;
      for (std::size_t r = 0; r < sums.size(); ++r) {
        sums[r] += direction[r] * z;
      }
    }
    std::ranges::transform(sums, result.row(b).begin(), [](double sum) { return static_cast<float>(sum); });
    result(b, kProjections) = static_cast<float>(state.energy[static_cast<std::size_t>(b)]);
  }
  return result;
}

}  // namespace vaeguard::mcmc
