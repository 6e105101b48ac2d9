// The smooth encoder's penalty (Cemgil et al. 2020): how far a fictive neighbour of an image can move its code.
#pragma once

#include <span>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/random.h"
#include "vaeguard/training/encoder_pass.h"

namespace vaeguard::training {

/// Options of the inner ascent and of the distance. The source's gamma and steps are not public; these are ours.
struct SmoothEncoderOptions {
  double gamma = 1.0;   // weight of squared distance against the coupling's entropy
  double radius = 0.1;  // of the L-infinity ball around the image; the published ones are 0.1 and 0.2
  int steps = 5;        // of sign ascent

  void validate() const;
};

/// The entropy-regularised Wasserstein distance between diagonal Gaussians, each [2 D] of means and log-variances, in
/// nats. Reconstructed, not from a published formula: over couplings with covariance psi of each pair of dimensions,
///   min_psi sum_d gamma/2 ((m_a - m_b)^2 + S_a + S_b - 2 psi) - log(S_a S_b - psi^2) / 2
/// is reached where psi = gamma (S_a S_b - psi^2), so psi = sqrt(S_a S_b + 1/(4 gamma^2)) - 1/(2 gamma). May be
/// negative, like an entropy. Writes the gradients with respect to both unless they are empty.
double regularised_wasserstein(std::span<const float> a, std::span<const float> b, double gamma,
                               std::span<float> gradient_a, std::span<float> gradient_b);

/// Fictive images within `radius` of `images` and within [0, 1], encoded as far from `encoded` as sign ascent of
/// regularised_wasserstein from a random start finds. Row b depends on its image, its key and the encoder alone. Leaves
/// them and their codes in `pass`.
void find_fictive(const networks::Network& encoder, const Matrix& images, const Matrix& encoded,
                  std::span<const Key> keys, const SmoothEncoderOptions& options, EncoderPass& pass);

/// The distances between codes of images and of their fictive neighbours, summed over rows. Unless `gradient` is empty,
/// adds the gradient through the fictive codes to it (the encoder's parameters) and the one with respect to `encoded`
/// to `encoded_gradients` [B, 2 D]. No gradient runs through the choice of the neighbours.
double add_smooth_penalty(const networks::TrainableNetwork& encoder, const Matrix& images, const Matrix& encoded,
                          std::span<const Key> keys, const SmoothEncoderOptions& options, EncoderPass& pass,
                          Matrix& encoded_gradients, std::span<float> gradient);

}  // namespace vaeguard::training
