// MAP: the most probable latent code by an optimiser instead of a chain (Kuzina et al. 2022, appendix B.3).
#pragma once

#include <memory>
#include <string>

#include "vaeguard/base/option_schema.h"
#include "vaeguard/defences/defence.h"
#include "vaeguard/defences/observation_model.h"

namespace vaeguard::defences {

enum class Optimiser {
  adam,   // over a chunk of images at once
  lbfgs,  // image by image
};

struct MapOptions {
  std::string name = "map";
  Optimiser optimiser = Optimiser::adam;
  int gradients = 60;           // Adam's steps; L-BFGS stops at the first iteration that reaches so many
  double learning_rate = 0.15;  // Adam's initial; falls to 0 along half a cosine
  int starts = 1;               // initial codes, each with start_gradients of Adam; the lowest goes on
  int start_gradients = 30;     // used only if starts > 1
  ObservationModel observation = {};
};

/// The options as plans write them; naming one that the optimiser does not read is an error.
const OptionSchema<MapOptions>& map_schema();
/// The preset `map_gaussian`: MAP for images of any kind.
MapOptions map_gaussian_options(std::string_view name = "map_gaussian");
/// Throws Misuse naming the option.
void validate(const MapOptions& options);
/// Decoder gradients that one image costs at most, with the longest line search of L-BFGS; an energy counts as one.
double gradients_per_image(const MapOptions& options);
/// Minimises the energy from the encoder's mean, or from the repaired code if the observation model has one. More
/// starts are that code with N(0, I) noise, for energies with several modes (descent.h). Draw, mean and their
/// reconstruction are those of the final code.
std::unique_ptr<Defence> make_map(const MapOptions& options);

}  // namespace vaeguard::defences
