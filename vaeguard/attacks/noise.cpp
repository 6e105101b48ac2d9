// One random outermost point of the threat per row.
#include "vaeguard/attacks/noise.h"

namespace vaeguard::attacks {

Matrix Noise::maximise(Search& search) const {
  const Matrix& references = search.references();
  Matrix points(references.rows(), references.columns());
  for (std::int64_t i = 0; i < points.rows(); ++i) {
    search.threat().random_extreme(search.keys()[static_cast<std::size_t>(i)].fold("noise"), references.row(i),
                                   points.row(i));
  }
  return points;
}

}  // namespace vaeguard::attacks
