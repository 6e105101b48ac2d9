// Sizes and offsets of latent groups.
#include "vaeguard/models/latent_layout.h"

#include "vaeguard/base/error.h"

namespace vaeguard::models {

LatentLayout LatentLayout::single(std::int64_t latents) { return {{{"z", {latents, 1, 1}}}}; }

std::int64_t LatentLayout::size() const { return size_of_first(count()); }

std::int64_t LatentLayout::size_of_first(std::int64_t count) const {
  if (count < 0 || count > this->count()) {
    misuse("models.latent_layout", "expected a number of groups from 0 to {}, got {}", this->count(), count);
  }
  std::int64_t size = 0;
  for (std::int64_t g = 0; g < count; ++g) {
    size += groups[static_cast<std::size_t>(g)].shape.size();
  }
  return size;
}

}  // namespace vaeguard::models
