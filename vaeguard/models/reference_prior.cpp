// Couplings one code at a time, following the equations.
#include "vaeguard/models/reference_prior.h"

#include <cmath>
#include <numbers>
#include <utility>

#include "vaeguard/networks/reference/reference_network.h"

namespace vaeguard::models {
namespace {

using networks::LayerGraph;

// Coupling k at one code: s and t of each dimension that it moves, and the intermediate values.
struct Affine {
  CouplingHalves halves;
  networks::Boundaries boundaries;
  std::vector<double> log_scale;
  std::vector<double> shift;

  Affine(const PriorWeights& prior, std::size_t k, std::span<const double> point)
      : halves(static_cast<std::int64_t>(point.size()), k) {
    std::vector<double> input;
    for (std::int64_t i = 0; i < halves.kept; ++i) {
      input.push_back(point[kept(i)]);
    }
    boundaries = networks::reference_forward(prior.couplings[k], input);
    const std::vector<double>& outputs = boundaries.back();
    const auto count = static_cast<std::size_t>(halves.moved);
    for (std::size_t i = 0; i < count; ++i) {
      log_scale.push_back(prior.bound * std::tanh(outputs[i] / prior.bound));
      shift.push_back(outputs[count + i]);
    }
  }
  // The position of kept or moved dimension i in the code.
  [[nodiscard]] std::size_t kept(std::int64_t i) const { return static_cast<std::size_t>(halves.first_kept + 2 * i); }
  [[nodiscard]] std::size_t moved(std::size_t i) const { return static_cast<std::size_t>(halves.first_moved) + 2 * i; }
};

// The path of one code through the couplings.
struct Walk {
  std::vector<std::vector<double>> points;  // before coupling 0, 1, ..., last the base point
  std::vector<Affine> affines;
  double log_determinant = 0.0;

  Walk(const PriorWeights& prior, std::span<const double> latent) : points{{latent.begin(), latent.end()}} {
    for (std::size_t k = 0; k < prior.couplings.size(); ++k) {
      const Affine& affine = affines.emplace_back(prior, k, points.back());
      std::vector<double> next = points.back();
      for (std::size_t i = 0; i < affine.shift.size(); ++i) {
        double& value = next[affine.moved(i)];
        value = value * std::exp(affine.log_scale[i]) + affine.shift[i];
        log_determinant += affine.log_scale[i];
      }
      points.push_back(std::move(next));
    }
  }
};

// From the gradient of the energy at a coupling's output to that at its input `point`.
void pull_back(const PriorWeights& prior, std::size_t k, const Affine& affine, std::span<const double> point,
               std::vector<double>& gradient) {
  const std::size_t count = affine.shift.size();
  std::vector<double> output_gradient(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    const double scale = std::exp(affine.log_scale[i]);
    const double ratio = affine.log_scale[i] / prior.bound;
    double& slope = gradient[affine.moved(i)];
    output_gradient[i] = (slope * point[affine.moved(i)] * scale - 1.0) * (1.0 - ratio * ratio);
    output_gradient[count + i] = slope;
    slope *= scale;
  }
  const auto kept = networks::reference_backward(prior.couplings[k], affine.boundaries, output_gradient);
  for (std::int64_t i = 0; i < affine.halves.kept; ++i) {
    gradient[affine.kept(i)] += kept[static_cast<std::size_t>(i)];
  }
}

}  // namespace

ReferenceBase reference_base(const PriorWeights& prior, std::span<const double> latent) {
  Walk walk(prior, latent);
  return {.point = std::move(walk.points.back()), .log_determinant = walk.log_determinant};
}

std::vector<double> reference_from_base(const PriorWeights& prior, std::span<const double> base) {
  std::vector<double> point(base.begin(), base.end());
  for (std::size_t k = prior.couplings.size(); k-- > 0;) {
    const Affine affine(prior, k, point);
    for (std::size_t i = 0; i < affine.shift.size(); ++i) {
      double& value = point[affine.moved(i)];
      value = (value - affine.shift[i]) * std::exp(-affine.log_scale[i]);
    }
  }
  return point;
}

double reference_prior_energy(const PriorWeights& prior, std::span<const double> latent,
                              std::vector<double>* gradient) {
  const Walk walk(prior, latent);
  const std::vector<double>& base = walk.points.back();
  double squares = 0.0;
  for (const double value : base) {
    squares += value * value;
  }
  if (gradient != nullptr) {
    *gradient = base;
    for (std::size_t k = prior.couplings.size(); k-- > 0;) {
      pull_back(prior, k, walk.affines[k], walk.points[k], *gradient);
    }
  }
  return 0.5 * (squares + static_cast<double>(base.size()) * std::log(2.0 * std::numbers::pi)) - walk.log_determinant;
}

}  // namespace vaeguard::models
