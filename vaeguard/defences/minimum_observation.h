// The observation model of the best image in an attacker's ball.
#pragma once

#include "vaeguard/base/norm.h"
#include "vaeguard/defences/observation_model.h"
#include "vaeguard/defences/radius.h"

namespace vaeguard::defences {

/// A code is scored by the best image within the radius (energy::minimum_observation). A radius that is found is that
/// of the fitted attack channel, which takes a pixel law; the image to encode is then the repaired one. Where that law
/// is not telling, GaussianObservation reads.
struct MinimumObservation {
  Norm norm = Norm::linf;
  Radius radius = {};

  [[nodiscard]] std::string_view name() const { return "minimum"; }
  static const OptionSchema<MinimumObservation>& schema();
  void validate() const;
  [[nodiscard]] bool knows_radius() const { return radius.of_attack; }
  [[nodiscard]] MinimumObservation told(double attack_radius) const { return {norm, radius.told(attack_radius)}; }
  [[nodiscard]] PosteriorProblem pose(const models::Vae& vae, const Matrix& images, const Posing& posing) const;
};

}  // namespace vaeguard::defences
