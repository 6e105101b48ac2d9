// Splitting encodings and drawing from them.
#include "vaeguard/models/encoding.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vaeguard::models {

Encoding split_encoding(const Matrix& outputs) {
  const std::int64_t size = outputs.columns() / 2;
  Encoding encoding{Matrix(outputs.rows(), size), Matrix(outputs.rows(), size)};
  for (std::int64_t b = 0; b < outputs.rows(); ++b) {
    std::ranges::copy(outputs.row(b).first(static_cast<std::size_t>(size)), encoding.mean.row(b).begin());
    std::ranges::copy(outputs.row(b).last(static_cast<std::size_t>(size)), encoding.log_variance.row(b).begin());
  }
  return encoding;
}

Draws draw(const Encoding& encoding, const Matrix& noise) {
  Draws draws{Matrix(noise.rows(), noise.columns()), {}};
  for (std::int64_t b = 0; b < noise.rows(); ++b) {
    double energy = 0.0;
    for (std::int64_t d = 0; d < noise.columns(); ++d) {
      const float u = noise(b, d);
      const float log_variance = encoding.log_variance(b, d);
      draws.codes(b, d) = encoding.mean(b, d) + std::exp(0.5F * log_variance) * u;
      energy += 0.5 * (static_cast<double>(u) * u + log_variance + std::log(2.0 * std::numbers::pi));
    }
    draws.log_density.push_back(-energy);
  }
  return draws;
}

Matrix keyed_noise(std::span<const Key> keys, std::int64_t columns) {
  Matrix noise(std::ssize(keys), columns);
  for (std::int64_t b = 0; b < noise.rows(); ++b) {
    fill_normal(keys[static_cast<std::size_t>(b)], noise.row(b));
  }
  return noise;
}

}  // namespace vaeguard::models
