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

constexpr double kLeastShare = 0.2;  // of the radius, where pixels have radii of their own

/// The floats that the pixels of one image may take under L-infinity, first to last.
class PixelRanges {
 public:
  explicit PixelRanges(const Threat& threat)
      : threat_(threat),
        reach_(float_below(threat.radius)),
        own_radii_(threat.pixels.pixel_radii == PixelRadii::random),
        decoys_(threat.pixels.decoy == Decoy::noise),
        shares_(own_radii_ ? threat.pixel_key.fold("pixel radii") : threat.pixel_key),
        signs_(decoys_ ? threat.pixel_key.fold("decoy") : threat.pixel_key) {}

  Range next(float reference) {
    // Every pixel takes its random numbers, so that no other pixel's depend on the mask.
    const double share = own_radii_ ? kLeastShare + (1.0 - kLeastShare) * shares_.uniform() : 1.0;
    const bool up = decoys_ && (signs_.bits() & 1U) != 0U;
    const float reach = own_radii_ ? float_below(share * threat_.radius) : reach_;
    const Range range = pixel_range(reference, reach, threat_);
    if (!threat_.holds(reference)) {
      return range;
    }
    const float held = !decoys_ ? reference : (up ? range.high : range.low);
    return {held, held};
  }

 private:
  const Threat& threat_;
  float reach_;
  bool own_radii_;
  bool decoys_;
  Stream shares_;
  Stream signs_;
};

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

/// A point on the unit sphere of the pixels that are not held, uniform for L2; for L1 each of its faces (an orthant)
/// uniformly. 0 if all are held.
std::vector<double> random_direction(const Threat& threat, Key key, std::span<const float> reference) {
  std::vector<double> direction(reference.size());
  const auto moving = [&](std::size_t i) { return threat.holds(reference[i]) ? 0.0 : 1.0; };
  double size = 0.0;
  if (threat.norm == Norm::l2) {
    std::vector<float> normals(reference.size());
    fill_normal(key, normals);
    for (std::size_t i = 0; i < direction.size(); ++i) {
      direction[i] = moving(i) * normals[i];
      size += direction[i] * direction[i];
    }
    size = std::sqrt(size);
  } else {
    Stream stream(key);
    for (std::size_t i = 0; i < direction.size(); ++i) {
      const double sign = (stream.bits() & 1U) != 0U ? 1.0 : -1.0;
      direction[i] = -sign * std::log(stream.uniform()) * moving(i);
      size += std::abs(direction[i]);
    }
  }
  for (double& part : direction) {
    part = size > 0.0 ? part / size : 0.0;
  }
  return direction;
}

/// The pixels that are not held; at least 1, so that nothing is divided by 0.
double moving_pixels(const Threat& threat, std::span<const float> reference) {
  const auto held = std::ranges::count_if(reference, [&](float pixel) { return threat.holds(pixel); });
  return static_cast<double>(std::max<std::ptrdiff_t>(std::ssize(reference) - held, 1));
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
      PixelRanges ranges(*this);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const Range range = ranges.next(reference[i]);
        x[i] = std::clamp(std::isnan(x[i]) ? reference[i] : x[i], range.low, range.high);
      }
      return;
    }
    // A pixel at its reference does not move in the projection: the others' nearest point is that of the ball.
    case Norm::l2:
      hold(reference, x);
      project_to_l2_ball({reference, radius, low, high}, x);
      return;
    case Norm::l1:
      hold(reference, x);
      project_to_l1_ball({reference, radius, low, high}, x);
      return;
  }
}

void Threat::random_point(Key key, std::span<const float> reference, std::span<float> x) const {
  if (norm == Norm::linf) {
    PixelRanges ranges(*this);
    Stream stream(key);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Range range = ranges.next(reference[i]);
      const double drawn = range.low + (static_cast<double>(range.high) - range.low) * stream.uniform();
      x[i] = std::clamp(static_cast<float>(drawn), range.low, range.high);
    }
    return;
  }
  // The volume grows with the P-th power of the radius.
  const double share = std::pow(Stream(key.fold("size")).uniform(), 1.0 / moving_pixels(*this, reference));
  std::vector<double> change = random_direction(*this, key.fold("direction"), reference);
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
    const std::vector<double> direction = random_direction(*this, key.fold("direction"), reference);
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

double Threat::pixel_share(std::span<const float> reference) const {
  const double count = moving_pixels(*this, reference);
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

void Threat::hold(std::span<const float> reference, std::span<float> x) const {
  if (pixels.mask == Mask::none) {
    return;
  }
  PixelRanges ranges(*this);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Range range = ranges.next(reference[i]);
    x[i] = holds(reference[i]) ? range.low : x[i];
  }
}

void validate(const Threat& threat) {
  if (!std::isfinite(threat.radius) || threat.radius < 0.0) {
    misuse("attacks.threat", "radius must be finite and >= 0, got {}", threat.radius);
  }
  if (!std::isfinite(threat.low) || !std::isfinite(threat.high) || threat.low >= threat.high) {
    misuse("attacks.threat", "low must be below high, both finite, got {} and {}", threat.low, threat.high);
  }
  validate(threat.pixels, threat.norm, "attacks.threat");
}

}  // namespace vaeguard::attacks
