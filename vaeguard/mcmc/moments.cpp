// Running sums of draws, of their deviations from the first draw, and of the squares of these.
#include "vaeguard/mcmc/moments.h"

#include <algorithm>
#include <functional>

#include "vaeguard/base/error.h"

namespace vaeguard::mcmc {

void Moments::add(const Matrix& draw) {
  if (draws_++ == 0) {
    sum_ = Matrix(draw.rows(), draw.columns());
    origin_ = draw;
    shifts_.assign(draw.values().size(), 0.0);
    squares_.assign(draw.values().size(), 0.0);
  }
  check_shape("mcmc.moments", "draw", draw, origin_.rows(), origin_.columns());
  std::ranges::transform(sum_.values(), draw.values(), sum_.data(), std::plus<>{});
  for (std::size_t i = 0; i < shifts_.size(); ++i) {
    const double shift = static_cast<double>(draw.data()[i]) - origin_.data()[i];
    shifts_[i] += shift;
    squares_[i] += shift * shift;
  }
}

Matrix Moments::means() const {
  Matrix result = sum_;
  std::ranges::for_each(result.flat(), [&](float& value) { value /= static_cast<float>(draws_); });
  return result;
}

Matrix Moments::variances(std::int64_t group) const {
  if (group < 1 || origin_.rows() % group != 0) {
    misuse("mcmc.moments", "group must be at least 1 and divide the {} chains, got {}", origin_.rows(), group);
  }
  Matrix result(origin_.rows() / group, origin_.columns());
  const auto total = static_cast<double>(draws_ * group);
  for (std::int64_t g = 0; g < result.rows(); ++g) {
    for (std::int64_t d = 0; d < result.columns(); ++d) {
      // Sums over all chains, relative to the first chain's origin.
      double sum = 0.0;
      double square = 0.0;
      for (std::int64_t b = g * group; b < (g + 1) * group; ++b) {
        const auto i = static_cast<std::size_t>(b * origin_.columns() + d);
        const double offset = static_cast<double>(origin_(b, d)) - origin_(g * group, d);
        sum += shifts_[i] + static_cast<double>(draws_) * offset;
        square += squares_[i] + 2.0 * offset * shifts_[i] + static_cast<double>(draws_) * offset * offset;
      }
      result(g, d) = static_cast<float>((square - sum * sum / total) / (total - 1.0));
    }
  }
  return result;
}

}  // namespace vaeguard::mcmc
