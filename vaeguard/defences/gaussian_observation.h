// The observation model of Gaussian noise: the image is what a code decodes to, and each pixel has moved a little.
#pragma once

#include "vaeguard/defences/observation_model.h"

namespace vaeguard::defences {

/// The standard deviation of the noise of a pixel, in units of the pixel range.
struct NoiseScale {
  /// About 1 / sqrt(2 pi), where the data term is pi |x - m|^2 and its normalising constant 0: as much as if the
  /// decoder had been trained with the Gaussian of the paper's code. It is twice an L-infinity radius of 0.2.
  double given = 0.4;
  bool of_attack = false;  // the defender is told the attack's radius

  /// Itself with kRadii times that radius where it waits for one, but not less than kSmallest.
  [[nodiscard]] NoiseScale told(double attack_radius) const;

  /// An attack moves pixels together, where noise moves each by itself: a scale of the radius believes too much of it.
  static constexpr double kRadii = 2.0;
  /// No image is exactly what a code decodes to, attacked or not.
  static constexpr double kSmallest = 0.1;
};

/// About what a pixel is noise.
enum class NoiseCentre {
  automatic,  // about the pixel law where the model has one, else about the mean image
  law,        // about the grey levels of the pixel law that the decoder's output stands for
  mean,       // about the decoder's mean image
};

/// A code is scored by energy::law_observation or energy::gaussian_observation, whatever the likelihood of the model
/// is. The image to encode is the one that came: no attack is looked for.
struct GaussianObservation {
  NoiseScale scale = {};
  NoiseCentre centre = NoiseCentre::automatic;

  [[nodiscard]] std::string_view name() const { return "gaussian"; }
  static const OptionSchema<GaussianObservation>& schema();
  void validate() const;
  [[nodiscard]] bool knows_radius() const { return scale.of_attack; }
  [[nodiscard]] GaussianObservation told(double attack_radius) const { return {scale.told(attack_radius), centre}; }
  [[nodiscard]] PosteriorProblem pose(const models::Vae& vae, const Matrix& images, const Posing& posing) const;
};

}  // namespace vaeguard::defences
