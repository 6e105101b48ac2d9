// Priors with random weights, as training might leave them: nothing of them is zero.
#pragma once

#include "vaeguard/base/random.h"
#include "vaeguard/models/realnvp.h"

namespace vaeguard::models {

/// Untrained weights, changed: last layers are N(0, deviation^2 / their inputs), so that scales and shifts are of the
/// order of `deviation`.
inline PriorWeights learned(PriorWeights prior, Key key, double deviation = 0.7) {
  for (std::size_t k = 0; k < prior.couplings.size(); ++k) {
    networks::LayerGraph& graph = prior.couplings[k];
    for (std::size_t l = 0; l < graph.layers.size(); ++l) {
      const Key layer = key.fold("learned").fold(k).fold(l);
      const bool last = l + 1 == graph.layers.size();
      if (last) {
        const auto inputs = static_cast<double>(graph.layers[l].input().channels);
        fill_normal(layer.fold("weight"), graph.weight(graph.layers[l]));
        for (float& value : graph.weight(graph.layers[l])) {
          value *= static_cast<float>(deviation / std::sqrt(inputs));
        }
      }
      fill_uniform(layer.fold("bias"), -0.5F, 0.5F, graph.bias(graph.layers[l]));
    }
  }
  return prior;
}

/// A RealNVP like that.
inline PriorWeights learned_prior(std::int64_t latents, Key key, const RealNvpOptions& options = {.hidden = 16},
                                  double deviation = 0.7) {
  return learned(realnvp(latents, key, options), key, deviation);
}

}  // namespace vaeguard::models
