// Passes over many images, and what a recognition model of one level says of draws and spread.
#include "vaeguard/models/recognition.h"

#include <algorithm>
#include <cmath>

#include "vaeguard/base/parallel.h"

namespace vaeguard::models {

Draws Recognition::draw(const Matrix& /*images*/, const Encoding& encoding, const Matrix& noise) const {
  return models::draw(encoding, noise);
}

Matrix Recognition::variances(const Encoding& encoding) const {
  Matrix variances(encoding.log_variance.rows(), encoding.log_variance.columns());
  std::ranges::transform(encoding.log_variance.values(), variances.data(),
                         [](float log_variance) { return std::exp(log_variance); });
  return variances;
}

Encoding encode(const Recognition& recognition, const MatrixView& images, int threads) {
  Matrix outputs(images.rows(), 2 * recognition.latents().size());
  map_rows(images, threads, outputs, [&](const Matrix& some, Matrix& encoded) {
    recognition.forward(some, recognition.latents().count(), encoded, *recognition.make_tape());
  });
  return split_encoding(outputs);
}

}  // namespace vaeguard::models
