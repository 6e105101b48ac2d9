// Passes over many latent codes.
#include "vaeguard/models/generative.h"

#include "vaeguard/base/parallel.h"

namespace vaeguard::models {

Matrix forward_all(const Generative& generative, const MatrixView& codes, int threads) {
  Matrix result(codes.rows(), generative.parameters());
  map_rows(codes, threads, result, [&](const Matrix& some, Matrix& parameters) {
    generative.forward(some, parameters, {}, *generative.make_tape());
  });
  return result;
}

Matrix decode(const Generative& generative, const MatrixView& codes, int threads) {
  const Matrix parameters = forward_all(generative, codes, threads);
  Matrix images(codes.rows(), generative.image().size());
  for (std::int64_t b = 0; b < images.rows(); ++b) {
    generative.likelihood().mean(parameters.row(b), images.row(b));
  }
  return images;
}

}  // namespace vaeguard::models
