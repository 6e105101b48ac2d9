// Splits the rows of draws into chains.
#include "vaeguard/measures/draw_chains.h"

#include <algorithm>
#include <cmath>

namespace vaeguard::measures {

std::vector<Matrix> draw_chains(const defences::Inference& inference, std::int64_t row, std::int64_t dimension) {
  const std::span<const float> all = inference.draws.row(row);
  const std::size_t each = all.size() / static_cast<std::size_t>(inference.chains);
  std::vector<Matrix> result;
  for (std::int64_t chain = 0; chain < inference.chains; ++chain) {
    const auto own = all.subspan(static_cast<std::size_t>(chain) * each, each);
    const auto end = std::ranges::find_if(own, [](float value) { return std::isnan(value); });
    const std::int64_t kept = (end - own.begin()) / dimension;
    result.emplace_back(kept, dimension, std::vector<float>(own.begin(), own.begin() + kept * dimension));
  }
  return result;
}

}  // namespace vaeguard::measures
