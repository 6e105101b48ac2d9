// Adam and L-BFGS.
#include "vaeguard/defences/descent.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "vaeguard/base/lbfgs.h"

namespace vaeguard::defences {
namespace {

constexpr float kMean = 0.9F;
constexpr float kSquare = 0.99F;
constexpr float kFloor = 1e-8F;
constexpr float kSteepest = 1e18F;  // its square is still finite

}  // namespace

void descend_adam(const ScalarField& energy, std::int64_t first, const AdamOptions& options, Matrix& points) {
  Matrix gradient;
  Matrix mean(points.rows(), points.columns());
  Matrix square(points.rows(), points.columns());
  for (int step = 1; step <= options.gradients; ++step) {
    energy.gradients(first, points, gradient);
    const double angle = std::numbers::pi * (step - 1) / options.gradients;
    const double rate = 0.5 * options.learning_rate * (1.0 + std::cos(angle));
    const auto scale = static_cast<float>(rate / (1.0 - std::pow(kMean, step)));
    const auto correction = static_cast<float>(1.0 / (1.0 - std::pow(kSquare, step)));
    for (std::size_t i = 0; i < gradient.values().size(); ++i) {
      const float g = std::isfinite(gradient.data()[i]) ? std::clamp(gradient.data()[i], -kSteepest, kSteepest) : 0.0F;
      float& m = mean.data()[i];
      float& v = square.data()[i];
      m += (1.0F - kMean) * (g - m);
      v += (1.0F - kSquare) * (g * g - v);
      points.data()[i] -= scale * m / (std::sqrt(v * correction) + kFloor);
    }
  }
}

int descend_lbfgs(const ScalarField& energy, std::int64_t index, int gradients, std::span<float> point) {
  Matrix here(1, energy.dimension());
  Matrix slope;
  const auto energy_at = [&](std::span<const double> z, std::span<double> gradient) {
    std::ranges::transform(z, here.data(), [](double value) { return static_cast<float>(value); });
    double value = 0.0;
    energy.evaluate(index, here, {&value, 1}, &slope);
    std::ranges::copy(slope.values(), gradient.begin());
    return value;
  };
  const std::vector<double> start(point.begin(), point.end());
  const Minimum found = minimise(energy_at, start, {.iterations = gradients, .evaluations = gradients});
  std::ranges::transform(found.point, point.begin(), [](double value) { return static_cast<float>(value); });
  return static_cast<int>(found.evaluations);
}

}  // namespace vaeguard::defences
