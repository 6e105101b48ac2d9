// Copies of chosen images, with their labels if there are any.
#include "vaeguard/data/dataset.h"

#include "vaeguard/base/error.h"

namespace vaeguard::data {

Images gather(const Images& images, std::span<const std::int64_t> indices) {
  if (!images.labels.empty() && std::ssize(images.labels) != images.pixels.rows()) {
    misuse("data.dataset", "images and labels must agree in number, got {} and {}", images.pixels.rows(),
           images.labels.size());
  }
  Images result{images.pixels.gather(indices), {}};
  if (images.labels.empty()) {
    return result;
  }
  result.labels.reserve(indices.size());
  for (const std::int64_t index : indices) {
    result.labels.push_back(images.labels[static_cast<std::size_t>(index)]);
  }
  return result;
}

}  // namespace vaeguard::data
