// What a model does when it is tried: gradients, independence of rows, ranges; for models that no one here has made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::runs {

/// One thing that was tried, and what it means.
struct Finding {
  std::string_view word;  // "gradient"
  std::string text;
  bool wrong = false;
};

/// Tries `vae` on images [n, C*H*W], n at least 2: gradients of both halves against finite differences, tangents
/// against gradients, rows alone against rows in a batch, the image of the prior's middle, reconstructions. `pictures`:
/// these are images as the model is to meet them, so that its reconstructions must be better than one picture for all.
std::vector<Finding> check_model(const models::Vae& vae, const Matrix& images, bool pictures, int threads);

/// Images without any: what the model itself draws, n of them, pixels from 0 to 1.
Matrix drawn_images(const models::Vae& vae, std::int64_t n, int threads);

/// A defence by name, and what it misses of this model: a pixel law, say; empty where it can run.
struct DefenceNeed {
  std::string_view defence;
  std::string missing;
};

/// Starts each defence, as it is without options, on one image [1, C*H*W].
std::vector<DefenceNeed> defence_needs(const models::Vae& vae, const Matrix& image, int threads);

}  // namespace vaeguard::runs
