// Counts the law of grey levels given the decoder's outputs.
#pragma once

#include "vaeguard/base/random.h"
#include "vaeguard/models/pixel_law.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::training {

struct PixelLawFitOptions {
  std::int64_t images = 10'000;  // at most so many of the given ones are counted
  std::int64_t nodes = 97;
  double node_width = 1.4;     // standard deviation in nodes of the kernel that smooths along parameters
  double level_width = 4.0;    // the same in levels, along those between the saturated ones
  double prior_pixels = 20.0;  // what a node is thought to hold of its neighbour's law before anything is counted
  int threads = 1;
};

/// Encodes images [N, C*H*W], decodes a draw of each code, and counts which grey level each pixel has where the decoder
/// gives it which parameter. Levels 0 and 255 hold the saturated pixels and are not smoothed. Nodes span logits -12 to
/// 12 for Bernoulli, means -0.25 to 1.25 for Gaussian and Laplace.
models::PixelLaw fit_pixel_law(const models::Vae& vae, const Matrix& images, Key key,
                               const PixelLawFitOptions& options);

}  // namespace vaeguard::training
