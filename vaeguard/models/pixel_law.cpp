// Nodes and checks of pixel laws.
#include "vaeguard/models/pixel_law.h"

#include <algorithm>
#include <cmath>

#include "vaeguard/base/error.h"

namespace vaeguard::models {

double PixelLaw::position(double parameter) const {
  return std::clamp((parameter - first) / spacing, 0.0, static_cast<double>(nodes() - 1));
}

PixelLaw histogram_alone(const PixelLaw& counted) {
  std::vector<double> histogram(PixelLaw::kLevels);
  for (std::int64_t node = 0; node < counted.nodes(); ++node) {
    for (std::int64_t v = 0; v < PixelLaw::kLevels; ++v) {
      histogram[static_cast<std::size_t>(v)] +=
          counted.weight[static_cast<std::size_t>(node)] * counted.probability(node, v);
    }
  }
  PixelLaw law = counted;
  for (std::int64_t node = 0; node < law.nodes(); ++node) {
    std::ranges::transform(histogram, law.probability.row(node).begin(),
                           [](double p) { return static_cast<float>(p); });
  }
  return law;
}

double certain_share(const PixelLaw& law) {
  double share = 0.0;
  for (std::int64_t node = 0; node < law.nodes(); ++node) {
    if (std::ranges::max(law.probability.row(node)) > 0.5F) {
      share += law.weight[static_cast<std::size_t>(node)];
    }
  }
  return share;
}

void validate(const PixelLaw& law, std::string_view place) {
  if (law.nodes() < 4 || law.probability.columns() != PixelLaw::kLevels ||
      static_cast<std::int64_t>(law.weight.size()) != law.nodes()) {
    misuse(place, "a pixel law must have [nodes >= 4, {}] probabilities and a weight a node, got [{}, {}] and {}",
           PixelLaw::kLevels, law.nodes(), law.probability.columns(), law.weight.size());
  }
  if (!std::isfinite(law.first) || !std::isfinite(law.spacing) || law.spacing <= 0.0) {
    misuse(place, "a pixel law's nodes must be finite and their spacing > 0, got {} and {}", law.first, law.spacing);
  }
  const auto good = [](float p) { return std::isfinite(p) && p > 0.0F; };
  const auto bad = std::ranges::find_if_not(law.probability.values(), good);
  if (bad != law.probability.values().end()) {
    const auto at = bad - law.probability.values().begin();
    misuse(place, "a pixel law's probabilities must be finite and > 0, got {} for node {}, level {}", *bad,
           at / PixelLaw::kLevels, at % PixelLaw::kLevels);
  }
}

}  // namespace vaeguard::models
