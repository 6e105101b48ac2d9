// The distortion-distortion curve of an attack: the distance to the target left, against the change of the image.
#pragma once

#include <span>
#include <vector>

namespace vaeguard::attacks {

/// The attacked image that one penalty of a sweep gives.
struct SweepPoint {
  double distortion = 0.0;  // |x - reference|_2
  double objective = 0.0;   // the negative distance to the target
};

/// The curve of one image, both axes from 0 to 1 (Gondim-Ribeiro, Tabacof and Valle 2018, arXiv 1806.04646). x is the
/// distortion as a share of the distance between reference and target image; y the least distance to the target among
/// points with at most this distortion, as a share of the distance without an attack. y(0) = 1, linear between points,
/// constant after the last one.
class DistortionCurve {
 public:
  /// Points in any order; those that are not finite are left out. `farthest` is |reference - target|_2, `widest` the
  /// distance to the target without an attack. Throws Misuse unless both are > 0.
  DistortionCurve(std::span<const SweepPoint> points, double farthest, double widest);

  /// y(x) for x from 0 to 1.
  [[nodiscard]] double remaining(double x) const;
  /// The area under the curve (AUDDC): 1 if attacks achieve nothing, 0 if they cost nothing.
  [[nodiscard]] double area() const;

 private:
  struct Corner {
    double x;
    double y;
  };
  std::vector<Corner> corners_;  // x rises from 0 to 1, y falls from 1
};

}  // namespace vaeguard::attacks
