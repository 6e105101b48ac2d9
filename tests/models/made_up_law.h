// Pixel laws by formula: digits on black, smooth in the logit, and one that knows a single level.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "vaeguard/base/random.h"
#include "vaeguard/models/pixel_law.h"

namespace vaeguard::models {

/// Logits -8 to 8 in steps of 1/2. A share sigmoid(-l) of the pixels is dark, most of these black; of the bright ones
/// half are white; the rest are grey, the brighter the larger the logit.
inline PixelLaw made_up_law() {
  constexpr std::int64_t kNodes = 33;
  PixelLaw law{.first = -8.0,
               .spacing = 0.5,
               .probability = Matrix(kNodes, PixelLaw::kLevels),
               .weight = std::vector<double>(kNodes, 1.0 / kNodes)};
  for (std::int64_t node = 0; node < kNodes; ++node) {
    const double l = law.parameter(node);
    const double bright = 1.0 / (1.0 + std::exp(-l));
    std::vector<double> row(PixelLaw::kLevels);
    double grey = 0.0;
    for (std::size_t v = 1; v < PixelLaw::kLevels - 1; ++v) {
      row[v] = std::exp(0.5 * l * static_cast<double>(v) / 255.0);
      grey += row[v];
    }
    row.front() = 0.9 * (1.0 - bright) + 1e-3;
    row.back() = 0.5 * bright + 1e-3;
    const double left = 1.0 - row.front() - row.back();
    for (std::size_t v = 0; v < row.size(); ++v) {
      const bool saturated = v == 0 || v == row.size() - 1;
      law.probability(node, static_cast<std::int64_t>(v)) =
          static_cast<float>(saturated ? row[v] : row[v] / grey * left);
    }
  }
  return law;
}

/// Whatever the decoder says, pixels have this level; others have probability 1e-9 each.
inline PixelLaw law_of_one_level(std::int64_t level) {
  PixelLaw law{.first = -1.0,
               .spacing = 1.0,
               .probability = Matrix(4, PixelLaw::kLevels, 1e-9F),
               .weight = std::vector<double>(4, 0.25)};
  for (std::int64_t node = 0; node < law.nodes(); ++node) {
    law.probability(node, level) = 1.0F;
  }
  return law;
}

/// A level of the law at `node`.
inline std::int64_t draw_level(const PixelLaw& law, std::int64_t node, Stream& stream) {
  const auto row = law.probability.row(node);
  double left = stream.uniform() * std::accumulate(row.begin(), row.end(), 0.0);
  std::int64_t level = 0;
  while (level < PixelLaw::kLevels - 1 && (left -= row[static_cast<std::size_t>(level)]) > 0.0) {
    ++level;
  }
  return level;
}

}  // namespace vaeguard::models
