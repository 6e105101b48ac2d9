// The observation model of an attack as a noisy channel from the true image to the observed one.
#pragma once

#include "vaeguard/defences/channel_repair.h"
#include "vaeguard/defences/observation_model.h"

namespace vaeguard::defences {

/// A code is scored by what the fitted channel leaves of the image that it decodes to (energy::channel_observation).
/// Takes a pixel law; the image to encode is the repaired one. Where the law is not telling, GaussianObservation reads.
struct ChannelObservation {
  Radius radius = {};
  bool directed = false;  // which way each pixel moved is estimated, too

  [[nodiscard]] std::string_view name() const { return directed ? "directed" : "channel"; }
  static const OptionSchema<ChannelObservation>& schema();
  void validate() const;
  [[nodiscard]] bool knows_radius() const { return radius.of_attack; }
  [[nodiscard]] ChannelObservation told(double attack_radius) const { return {radius.told(attack_radius), directed}; }
  [[nodiscard]] PosteriorProblem pose(const models::Vae& vae, const Matrix& images, const Posing& posing) const;
};

}  // namespace vaeguard::defences
