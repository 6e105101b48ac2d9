// How a row of latent numbers divides into named groups: one for a VAE of a single level, one a level in a hierarchy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vaeguard/base/image_shape.h"

namespace vaeguard::models {

struct LatentGroup {
  std::string name;  // "z", "z1", "z2"
  ImageShape shape;
};

/// A latent code is a row of D numbers, its groups one after the other, each as [channel, row, column]. Groups lie in
/// the order of inference: what q says of a group may depend on the image and on the groups before it.
struct LatentLayout {
  std::vector<LatentGroup> groups;

  /// One group "z" of so many latents.
  static LatentLayout single(std::int64_t latents);
  /// D.
  [[nodiscard]] std::int64_t size() const;
  /// Latents of the first `count` groups together, which is also where the next one begins.
  [[nodiscard]] std::int64_t size_of_first(std::int64_t count) const;
  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(groups.size()); }
};

}  // namespace vaeguard::models
