// Counts the pixel law: the distribution of grey levels given the decoder's outputs.
#pragma once

#include "vaeguard/base/random.h"
#include "vaeguard/models/pixel_law.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::training {

struct PixelLawFitOptions {
  std::int64_t images = 10'000;  // at most so many of the given ones are used
  std::int64_t nodes = 97;
  double node_width = 1.4;     // standard deviation, in nodes, of the kernel that smooths along parameters
  double level_width = 4.0;    // the same, in levels, along the unsaturated levels
  double prior_pixels = 20.0;  // pseudo-counts with which each node's distribution begins, from its neighbour's
  int threads = 1;
};

/// Encodes images [N, C*H*W], decodes a draw of each code, and counts the grey levels of pixels for each value of the
/// decoder's output. Levels 0 and 255 hold the saturated pixels and are not smoothed. Nodes span logits -12 to 12 for
/// Bernoulli, means -0.25 to 1.25 for Gaussian and Laplace.
models::PixelLaw fit_pixel_law(const models::Vae& vae, const Matrix& images, Key key,
                               const PixelLawFitOptions& options);

}  // namespace vaeguard::training
