// Projection, random points and sizes of the L-infinity threat, safe under rounding to float.
#include "vaeguard/attacks/threat.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/base/text.h"

namespace vaeguard::attacks {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The largest float that is at most `value` >= 0. Rounding is monotone, so what is at most this float in exact
/// arithmetic is at most `value` however the difference is rounded.
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

}  // namespace

std::string_view name(Norm norm) {
  switch (norm) {
    case Norm::linf:
      return "linf";
  }
  misuse("attacks.threat", "unknown norm {}", static_cast<int>(norm));
}

Norm norm_from_name(std::string_view text) {
  std::vector<std::string> known;
  for (const Norm norm : {Norm::linf}) {
    if (text == name(norm)) {
      return norm;
    }
    known.emplace_back(name(norm));
  }
  unknown_name("attacks.threat", "norm", text, known);
}

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
  }
}

void Threat::random_point(Key key, std::span<const float> reference, std::span<float> x) const {
  switch (norm) {
    case Norm::linf: {
      const float reach = float_below(radius);
      Stream stream(key);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const Range range = pixel_range(reference[i], reach, *this);
        const double drawn = range.low + (static_cast<double>(range.high) - range.low) * stream.uniform();
        x[i] = std::clamp(static_cast<float>(drawn), range.low, range.high);
      }
      return;
    }
  }
}

void Threat::random_extreme(Key key, std::span<const float> reference, std::span<float> x) const {
  switch (norm) {
    case Norm::linf: {
      Stream stream(key);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double sign = (stream.bits() & 1U) != 0U ? 1.0 : -1.0;
        x[i] = static_cast<float>(reference[i] + sign * radius);
      }
      break;
    }
  }
  project(reference, x);
}

void Threat::steepest_direction(std::span<const float> gradient, std::span<float> direction) const {
  switch (norm) {
    case Norm::linf:
      for (std::size_t i = 0; i < direction.size(); ++i) {
        direction[i] = gradient[i] > 0.0F ? 1.0F : (gradient[i] < 0.0F ? -1.0F : 0.0F);
      }
      return;
  }
}

double Threat::size(std::span<const float> reference, std::span<const float> x) const {
  double largest = 0.0;
  switch (norm) {
    case Norm::linf:
      for (std::size_t i = 0; i < x.size(); ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(x[i]) - reference[i]));
      }
      break;
  }
  return largest;
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
