// The observation model of Gaussian noise: the image is what a code decodes to, and each pixel has moved a little.
#pragma once

#include "vaeguard/defences/observation_model.h"

namespace vaeguard::defences {

/// The standard deviation of the noise of a pixel, in units of the pixel range.
struct NoiseScale {
  enum class Source {
    given,
    attack,  // the defender is told the attack's radius: kRadii times that, but not less than kSmallest
    found,   // kNoises times the noise that repair_noise() finds in the image, within kLeastFound and kMostFound;
             // `given` where there is no pixel law, without which noise is not told from what the model cannot draw
  };

  /// About 1 / sqrt(2 pi), where the data term is pi |x - m|^2 and its normalising constant 0: as much as if the
  /// decoder had been trained with the Gaussian of the paper's code. It is twice an L-infinity radius of 0.2.
  double given = 0.4;
  Source source = Source::given;

  /// Itself with the scale for that radius where it waits for one.
  [[nodiscard]] NoiseScale told(double attack_radius) const;

  /// An attack moves pixels together, where noise moves each by itself: a scale of the radius believes too much of it.
  static constexpr double kRadii = 2.0;
  /// No image is exactly what a code decodes to, attacked or not.
  static constexpr double kSmallest = 0.1;
  /// What is found is less than an attack's radius: pixels at the ends of their range move one way only.
  static constexpr double kNoises = 5.0;
  /// An attack that leaves saturated pixels alone cannot be told from none, and a small scale would follow it.
  static constexpr double kLeastFound = 0.3;
  static constexpr double kMostFound = 0.7;
};

/// About what a pixel is noise.
enum class NoiseCentre {
  automatic,  // about the pixel law where it is there and law_is_telling(), else about the mean image
  law,        // about the grey levels of the pixel law that the decoder's output stands for
  mean,       // about the decoder's mean image
};

/// A code is scored by energy::law_observation or energy::gaussian_observation, whatever the likelihood of the model
/// is. With the law, the image to encode is the one that came or the one that repair_noise() makes of it, whose code
/// has the lower energy; about the mean it is the one that came.
struct GaussianObservation {
  NoiseScale scale = {};
  NoiseCentre centre = NoiseCentre::automatic;
  int passes = 4;

  [[nodiscard]] std::string_view name() const { return "gaussian"; }
  static const OptionSchema<GaussianObservation>& schema();
  void validate() const;
  [[nodiscard]] bool knows_radius() const { return scale.source == NoiseScale::Source::attack; }
  [[nodiscard]] GaussianObservation told(double attack_radius) const {
    return {scale.told(attack_radius), centre, passes};
  }
  [[nodiscard]] PosteriorProblem pose(const models::Vae& vae, const Matrix& images, const Posing& posing) const;
};

}  // namespace vaeguard::defences
