// The Frechet distance between two sets of features: FID, if the features are Inception's.
#pragma once

#include <cstdint>
#include <vector>

#include "vaeguard/base/matrix.h"

namespace vaeguard::metrics {

/// Mean and covariance (divided by n - 1) of feature vectors, in double.
struct FeatureMoments {
  std::int64_t count = 0;
  std::vector<double> mean;        // [F]
  std::vector<double> covariance;  // [F, F]
};

/// features [n, F], n >= 2. Throws Misuse for fewer rows and for values that are not finite.
FeatureMoments feature_moments(const Matrix& features);

/// |mean_a - mean_b|^2 + tr(A + B - 2 (A^(1/2) B A^(1/2))^(1/2)), the squared 2-Wasserstein distance of two normals
/// (Dowson and Landau 1982; Heusel et al. 2017). Never below 0. With fewer images than features covariances are
/// singular and the distance is far above that of many images. Throws Misuse if sizes differ.
double frechet_distance(const FeatureMoments& a, const FeatureMoments& b);

}  // namespace vaeguard::metrics
