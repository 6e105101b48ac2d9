// Turns images into feature vectors, between which Frechet distances are computed.
#pragma once

#include <string>
#include <vector>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/base/matrix.h"
#include "vaeguard/base/observer.h"

namespace vaeguard::metrics {

/// Feature vectors of some images.
struct Features {
  std::string metric;  // the name of the Frechet distance between them: "fid_2048", "frechet_classifier_64"
  Matrix values;       // [n, F]
};

class FeatureExtractor {
 public:
  virtual ~FeatureExtractor() = default;
  /// images [n, C*H*W], pixels from 0 to 1 -> one set of features, or several if one pass computes them; the same for
  /// any number of threads. Throws Interrupted when the observer asks.
  [[nodiscard]] virtual std::vector<Features> extract(const Matrix& images, const ImageShape& shape, int threads,
                                                      Observer& observer) const = 0;
};

}  // namespace vaeguard::metrics
