// Adam and L-BFGS.
#include "vaeguard/defences/descent.h"

#include <lbfgs.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace vaeguard::defences {
namespace {

constexpr float kMean = 0.9F;
constexpr float kSquare = 0.99F;
constexpr float kFloor = 1e-8F;
constexpr float kSteepest = 1e18F;  // its square is still finite

// liblbfgs on one image.
class Lbfgs {
 public:
  Lbfgs(const ScalarField& energy, std::int64_t index, int gradients)
      : energy_(energy), index_(index), gradients_(gradients), point_(1, energy.dimension()) {}

  // Returns the gradients spent.
  int run(std::span<float> point) {
    lbfgs_parameter_t settings;
    lbfgs_parameter_init(&settings);
    settings.max_iterations = gradients_;
    settings.epsilon = 1e-5;
    std::vector<double> z(point.begin(), point.end());
    // Every other outcome, a failed line search included, leaves the best point so far.
    lbfgs(static_cast<int>(z.size()), z.data(), nullptr, &evaluate, &progress, this, &settings);
    if (std::ranges::all_of(z, [](double value) { return std::isfinite(value); })) {
      std::ranges::transform(z, point.begin(), [](double value) { return static_cast<float>(value); });
    }
    return spent_;
  }

 private:
  static double evaluate(void* instance, const double* z, double* gradient, int size, double /*step*/) {
    auto& self = *static_cast<Lbfgs*>(instance);
    std::transform(z, z + size, self.point_.data(), [](double value) { return static_cast<float>(value); });
    double value = 0.0;
    self.energy_.evaluate(self.index_, self.point_, {&value, 1}, &self.gradient_);
    std::ranges::copy(self.gradient_.values(), gradient);
    ++self.spent_;
    return value;
  }
  static int progress(void* instance, const double*, const double*, double, double, double, double, int, int, int) {
    const auto& self = *static_cast<const Lbfgs*>(instance);
    return self.spent_ >= self.gradients_ ? 1 : 0;
  }

  const ScalarField& energy_;
  std::int64_t index_;
  int gradients_;
  Matrix point_;
  Matrix gradient_;
  int spent_ = 0;
};

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
  return Lbfgs(energy, index, gradients).run(point);
}

}  // namespace vaeguard::defences
