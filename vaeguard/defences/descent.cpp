// Adam and L-BFGS.
#include "vaeguard/defences/descent.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "vaeguard/base/adam.h"
#include "vaeguard/base/lbfgs.h"

namespace vaeguard::defences {
namespace {

// There are few steps, and so a short memory of squares. Floats, since they were first used in float arithmetic.
constexpr AdamDecays kDecays{.mean = 0.9F, .square = 0.99F};
constexpr float kSteepest = 1e18F;  // its square is still finite

}  // namespace

void descend_adam(const ScalarField& energy, std::span<const std::int64_t> functions, const AdamOptions& options,
                  Matrix& points) {
  Matrix gradient;
  Matrix mean(points.rows(), points.columns());
  Matrix square(points.rows(), points.columns());
  for (int step = 1; step <= options.gradients; ++step) {
    energy.gradients(functions, points, gradient);
    const AdamStep<float, AdamForm::differences> move(kDecays, step,
                                                      half_cosine(options.learning_rate, step - 1, options.gradients));
    for (std::size_t i = 0; i < gradient.values().size(); ++i) {
      const float g = std::isfinite(gradient.data()[i]) ? std::clamp(gradient.data()[i], -kSteepest, kSteepest) : 0.0F;
      points.data()[i] -= move(g, mean.data()[i], square.data()[i]);
    }
  }
}

void keep_lowest(const ScalarField& energy, std::span<const std::int64_t> functions, const Matrix& others,
                 Matrix& points, std::vector<double>& lowest) {
  std::vector<double> energies(lowest.size());
  energy.evaluate(functions, others, energies, nullptr);
  for (std::int64_t b = 0; b < others.rows(); ++b) {
    if (const auto i = static_cast<std::size_t>(b); energies[i] < lowest[i] || std::isnan(lowest[i])) {
      lowest[i] = energies[i];
      std::ranges::copy(others.row(b), points.row(b).begin());
    }
  }
}

void descend_adam_from_several(const ScalarField& energy, std::span<const std::int64_t> functions,
                               const AdamOptions& options, int starts, std::span<const Key> keys, Matrix& points) {
  if (starts == 1) {
    descend_adam(energy, functions, options, points);
    return;
  }
  const Matrix centre = points;
  std::vector<double> lowest(static_cast<std::size_t>(points.rows()), std::numeric_limits<double>::quiet_NaN());
  std::vector<float> noise(static_cast<std::size_t>(points.columns()));
  for (int start = 0; start < starts; ++start) {
    Matrix codes = centre;
    for (std::int64_t b = 0; start > 0 && b < codes.rows(); ++b) {
      fill_normal(keys[static_cast<std::size_t>(b)].fold("starts").fold(static_cast<std::uint64_t>(start)), noise);
      std::ranges::transform(codes.row(b), noise, codes.row(b).begin(), std::plus<>{});
    }
    descend_adam(energy, functions, options, codes);
    keep_lowest(energy, functions, codes, points, lowest);
  }
}

int descend_lbfgs(const ScalarField& energy, std::int64_t function, int gradients, std::span<float> point) {
  Matrix here(1, energy.dimension());
  Matrix slope;
  const auto energy_at = [&](std::span<const double> z, std::span<double> gradient) {
    std::ranges::transform(z, here.data(), [](double value) { return static_cast<float>(value); });
    double value = 0.0;
    energy.evaluate({&function, 1}, here, {&value, 1}, &slope);
    std::ranges::copy(slope.values(), gradient.begin());
    return value;
  };
  const std::vector<double> start(point.begin(), point.end());
  const Minimum found = minimise(energy_at, start, {.iterations = gradients, .evaluations = gradients});
  std::ranges::transform(found.point, point.begin(), [](double value) { return static_cast<float>(value); });
  return static_cast<int>(found.evaluations);
}

}  // namespace vaeguard::defences
