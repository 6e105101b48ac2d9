// The lower envelope of a sweep's points as a line of corners.
#include "vaeguard/attacks/distortion_curve.h"

#include <algorithm>
#include <cmath>

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {

DistortionCurve::DistortionCurve(std::span<const SweepPoint> points, double farthest, double widest)
    : corners_{{0.0, 1.0}} {
  if (!(farthest > 0.0) || !(widest > 0.0)) {
    misuse("attacks.distortion_curve", "the axes of a distortion curve must be > 0 long, got {} and {}", farthest,
           widest);
  }
  std::vector<SweepPoint> sorted(points.begin(), points.end());
  std::erase_if(sorted, [](const SweepPoint& point) { return !std::isfinite(point.objective); });
  std::ranges::sort(sorted, {}, &SweepPoint::distortion);
  for (const SweepPoint& point : sorted) {
    const Corner last = corners_.back();
    const Corner next{point.distortion / farthest, std::min(last.y, std::max(-point.objective / widest, 0.0))};
    if (next.x >= 1.0) {
      const double share = next.x > last.x ? (1.0 - last.x) / (next.x - last.x) : 0.0;
      corners_.push_back({1.0, last.y + share * (next.y - last.y)});
      return;
    }
    corners_.push_back(next);
  }
  corners_.push_back({1.0, corners_.back().y});
}

double DistortionCurve::remaining(double x) const {
  const auto after = std::ranges::upper_bound(corners_, x, {}, &Corner::x);
  if (after == corners_.end()) {
    return corners_.back().y;
  }
  const Corner before = *(after - 1);
  return before.y + (x - before.x) / (after->x - before.x) * (after->y - before.y);
}

double DistortionCurve::area() const {
  double area = 0.0;
  for (std::size_t i = 1; i < corners_.size(); ++i) {
    area += (corners_[i].x - corners_[i - 1].x) * (corners_[i].y + corners_[i - 1].y) / 2.0;
  }
  return area;
}

}  // namespace vaeguard::attacks
