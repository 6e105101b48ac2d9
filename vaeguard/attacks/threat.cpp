// Projection, random points, directions and sizes in each norm, safe under rounding to float.
#include "vaeguard/attacks/threat.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "vaeguard/attacks/ball.h"
#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The largest float that is at most `value` >= 0. Rounding is monotone, so a difference that is at most this float in
/// exact arithmetic is at most `value` however it is rounded.
float float_below(double value) {
  const auto rounded = static_cast<float>(std::min(value, static_cast<double>(std::numeric_limits<float>::max())));
  return static_cast<double>(rounded) > value ? std::nextafter(rounded, 0.0F) : rounded;
}

struct Range {
  float low = 0.0F;
  float high = 0.0F;
};

/// The floats that one pixel may take under L-infinity; `radius` is already a float.
Range pixel_range(float reference, float radius, const Threat& threat) {
  Range range{static_cast<float>(static_cast<double>(reference) - radius),
              static_cast<float>(static_cast<double>(reference) + radius)};
  while (static_cast<double>(reference) - range.low > radius) {
    range.low = std::nextafter(range.low, kInfinity);
  }
  while (static_cast<double>(range.high) - reference > radius) {
    range.high = std::nextafter(range.high, -kInfinity);
  }
  return {std::max(range.low, threat.low), std::min(range.high, threat.high)};
}

constexpr std::size_t kSparsity = 20;  // an L1 move changes one pixel in so many

/// Pixels of reference + change; those that would leave their range go the other way.
void mirrored(std::span<const float> reference, std::span<const double> change, const Threat& threat,
              std::span<float> x) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double there = reference[i] + change[i];
    const bool leaves = there < threat.low || there > threat.high;
    x[i] = static_cast<float>(leaves ? reference[i] - change[i] : there);
  }
}

/// A point on the unit sphere, uniform for L2; for L1 each of its faces (an orthant) uniformly.
std::vector<double> random_direction(Norm norm, Key key, std::size_t pixels) {
  std::vector<double> direction(pixels);
  double size = 0.0;
  if (norm == Norm::l2) {
    std::vector<float> normals(pixels);
    fill_normal(key, normals);
    std::ranges::copy(normals, direction.begin());
    for (const double part : direction) {
      size += part * part;
    }
    size = std::sqrt(size);
  } else {
    Stream stream(key);
    for (double& part : direction) {
      const double sign = (stream.bits() & 1U) != 0U ? 1.0 : -1.0;
      part = -sign * std::log(stream.uniform());
      size += std::abs(part);
    }
  }
  for (double& part : direction) {
    part /= size;
  }
  return direction;
}

/// Finite, and 0 for NaN.
double tame(float gradient) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  return std::isnan(gradient) ? 0.0 : std::clamp(gradient, -kLargest, kLargest);
}

float sign(float gradient) { return gradient > 0.0F ? 1.0F : (gradient < 0.0F ? -1.0F : 0.0F); }

void l2_direction(std::span<const float> gradient, std::span<float> direction) {
  double squares = 0.0;
  for (const float g : gradient) {
    squares += tame(g) * tame(g);
  }
  const double scale = squares > 0.0 ? 1.0 / std::sqrt(squares) : 0.0;
  std::ranges::transform(gradient, direction.begin(), [&](float g) { return static_cast<float>(scale * tame(g)); });
}

void l1_direction(std::span<const float> gradient, std::span<float> direction) {
  std::vector<std::size_t> steepest(gradient.size());
  std::iota(steepest.begin(), steepest.end(), std::size_t{0});
  const std::size_t count = (gradient.size() + kSparsity - 1) / kSparsity;
  const auto end = steepest.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(steepest.begin(), end, steepest.end(), [&](std::size_t a, std::size_t b) {
    const double left = std::abs(tame(gradient[a]));
    const double right = std::abs(tame(gradient[b]));
    return left != right ? left > right : a < b;
  });
  const auto moving = std::count_if(steepest.begin(), end, [&](std::size_t i) { return sign(gradient[i]) != 0.0F; });
  std::ranges::fill(direction, 0.0F);
  std::for_each(steepest.begin(), end, [&](std::size_t i) {
    direction[i] = moving > 0 ? sign(gradient[i]) / static_cast<float>(moving) : 0.0F;
  });
}

}  // namespace

void Threat::project(std::span<const float> reference, std::span<float> x) const {
  switch (norm) {
    case Norm::linf: {
      const float reach = float_below(radius);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const Range range = pixel_range(reference[i], reach, *this);
        x[i] = std::clamp(std::isnan(x[i]) ? reference[i] : x[i], range.low, range.high);
      }
      return;
    }
    case Norm::l2:
      project_to_l2_ball({reference, radius, low, high}, x);
      return;
    case Norm::l1:
      project_to_l1_ball({reference, radius, low, high}, x);
      return;
  }
}

void Threat::random_point(Key key, std::span<const float> reference, std::span<float> x) const {
  if (norm == Norm::linf) {
    const float reach = float_below(radius);
    Stream stream(key);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Range range = pixel_range(reference[i], reach, *this);
      const double drawn = range.low + (static_cast<double>(range.high) - range.low) * stream.uniform();
      x[i] = std::clamp(static_cast<float>(drawn), range.low, range.high);
    }
    return;
  }
  // The volume grows with the P-th power of the radius.
  const double share = std::pow(Stream(key.fold("size")).uniform(), 1.0 / static_cast<double>(x.size()));
  std::vector<double> change = random_direction(norm, key.fold("direction"), x.size());
  std::ranges::for_each(change, [&](double& part) { part *= share * radius; });
  mirrored(reference, change, *this, x);
  project(reference, x);
}

void Threat::random_extreme(Key key, std::span<const float> reference, std::span<float> x) const {
  if (norm == Norm::linf) {
    Stream stream(key);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double sign = (stream.bits() & 1U) != 0U ? 1.0 : -1.0;
      x[i] = static_cast<float>(reference[i] + sign * radius);
    }
  } else {
    const std::vector<double> direction = random_direction(norm, key.fold("direction"), x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = static_cast<float>(reference[i] + radius * direction[i]);
    }
  }
  project(reference, x);
}

void Threat::steepest_direction(std::span<const float> gradient, std::span<float> direction) const {
  switch (norm) {
    case Norm::linf:
      std::ranges::transform(gradient, direction.begin(), sign);
      return;
    case Norm::l2:
      l2_direction(gradient, direction);
      return;
    case Norm::l1:
      l1_direction(gradient, direction);
      return;
  }
}

void Threat::steepest_direction_from(std::span<const float> x, std::span<const float> gradient,
                                     std::span<float> direction) const {
  std::vector<float> useful(gradient.begin(), gradient.end());
  for (std::size_t i = 0; i < x.size(); ++i) {
    if ((x[i] >= high && gradient[i] > 0.0F) || (x[i] <= low && gradient[i] < 0.0F)) {
      useful[i] = 0.0F;
    }
  }
  steepest_direction(useful, direction);
}

double Threat::pixel_share(std::int64_t pixels) const {
  const auto count = static_cast<double>(pixels);
  switch (norm) {
    case Norm::linf:
      return radius;
    case Norm::l2:
      return radius / std::sqrt(count);
    case Norm::l1:
      return radius / count;
  }
  return radius;
}

double Threat::size(std::span<const float> reference, std::span<const float> x) const {
  switch (norm) {
    case Norm::linf: {
      double largest = 0.0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(x[i]) - reference[i]));
      }
      return largest;
    }
    case Norm::l2:
      return l2_size(reference, x);
    case Norm::l1:
      return l1_size(reference, x);
  }
  return std::nan("");
}

void validate(const Threat& threat) {
  if (!std::isfinite(threat.radius) || threat.radius < 0.0) {
    misuse("attacks.threat", "radius must be finite and >= 0, got {}", threat.radius);
  }
  if (!std::isfinite(threat.low) || !std::isfinite(threat.high) || threat.low >= threat.high) {
    misuse("attacks.threat", "low must be below high, both finite, got {} and {}", threat.low, threat.high);
  }
}

}  // namespace vaeguard::attacks
