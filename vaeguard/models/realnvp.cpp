// Untrained couplings, their options, and the entry that names them.
#include "vaeguard/models/realnvp.h"

#include <algorithm>
#include <cmath>

#include "vaeguard/base/error.h"
#include "vaeguard/models/prior_design.h"

namespace vaeguard::models {
namespace {

constexpr std::string_view kPlace = "models.realnvp";

// Weights N(0, 1 / fan in), which keep the scale of activations; biases stay zero.
void randomise(networks::LayerGraph& graph, const networks::Layer& layer, Key key) {
  const auto deviation = static_cast<float>(1.0 / std::sqrt(static_cast<double>(layer.input().channels)));
  const std::span<float> weight = graph.weight(layer);
  fill_normal(key, weight);
  std::ranges::transform(weight, weight.begin(), [&](float value) { return deviation * value; });
}

networks::LayerGraph coupling_graph(const CouplingHalves& halves, std::int64_t hidden, Key key) {
  networks::LayerGraph graph{.inputs = {{halves.kept, 1, 1}}};
  for (const std::string_view layer : {"first", "second"}) {
    graph.add(networks::Operation::convolution, {.channels = hidden, .activation = networks::Activation::silu});
    randomise(graph, graph.layers.back(), key.fold(layer));
  }
  return graph.add(networks::Operation::convolution, {.channels = 2 * halves.moved});
}

}  // namespace

const OptionSchema<RealNvpOptions>& RealNvpOptions::schema() {
  static const auto schema =
      OptionSchema<RealNvpOptions>()
          .integer("couplings", &RealNvpOptions::couplings, from_to(1, kMostCouplings),
                   "affine couplings; an even number moves every latent equally often")
          .integer("hidden", &RealNvpOptions::hidden, at_least(1), "units of the two hidden layers of each coupling")
          .number("bound", &RealNvpOptions::bound, above(0.0), "of the log scale of each coupling");
  return schema;
}

PriorWeights RealNvpOptions::make(std::int64_t latents, Key key) const { return realnvp(latents, key, *this); }

PriorWeights realnvp(std::int64_t latents, Key key, const RealNvpOptions& options) {
  RealNvpOptions::schema().check(kPlace, options);
  if (latents < 2) {
    misuse(kPlace, "a RealNVP keeps some latents and moves the others: it needs at least 2, got {}", latents);
  }
  PriorWeights prior{.couplings = {}, .bound = options.bound};
  for (std::size_t k = 0; k < static_cast<std::size_t>(options.couplings); ++k) {
    prior.couplings.push_back(coupling_graph(CouplingHalves(latents, k), options.hidden, key.fold(k)));
  }
  return prior;
}

PriorEntry realnvp_entry() {
  return {.name = "realnvp",
          .title = "RealNVP",
          .description = "Affine couplings that are learned with the model.",
          .usual = RealNvpOptions{}};
}

}  // namespace vaeguard::models
