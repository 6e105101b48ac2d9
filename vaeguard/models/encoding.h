// What an encoder says of images: diagonal Gaussians over latent codes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/random.h"

namespace vaeguard::models {

/// q(z|x) of B images: diagonal Gaussians, mean and log-variance [B, D]. In a hierarchy a group's Gaussian is that
/// given the means of the groups before it.
struct Encoding {
  Matrix mean;
  Matrix log_variance;
};

/// Splits encoder outputs [B, 2 D], means then log-variances.
Encoding split_encoding(const Matrix& outputs);
/// Draws of q(z|x), one a row.
struct Draws {
  Matrix codes;                     // [n, D]
  std::vector<double> log_density;  // [n], log q(z|x) in nats
};

/// mean + exp(log-variance / 2) noise of each row, noise standard normal [B, D].
Draws draw(const Encoding& encoding, const Matrix& noise);
/// Standard normal numbers [n, columns], n the number of keys; row b uses the key keys[b].
Matrix keyed_noise(std::span<const Key> keys, std::int64_t columns);

}  // namespace vaeguard::models
