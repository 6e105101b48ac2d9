// Which way an attack moved the pixels that do not tell, learned from those that do.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/energy/channel.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::defences {

struct DirectionOptions {
  std::int64_t latents = 32;  // those whose means moved farthest
  double ridge = 0.3;         // of weights on features whose norm is 1 at the average pixel
  double evidence = 3.0;      // nats that pixels which were held out must gain, else there is no direction
  double certainty = 0.99;    // that a move went the way the direction says
};

/// What is known of one attacked image.
struct AttackedImage {
  std::span<const float> image;       // [C*H*W] as it came
  std::span<const float> true_image;  // [C*H*W] as it probably was
  std::span<const float> shift;       // [D] between the means of their encodings, in deviations of the latter's
};

/// An attack that climbs the gradient of any goal on the code's mean, g(mean(x)), moves pixel i the way of
/// sum_k w_k d mean_k / d x_i with w = dg / d mean, whatever the goal. Where the true pixel is nearly known, in a
/// saturated background say, `moves` tell the way; w is the maximum of their penalised likelihood
///     sum_i log(1 - up_i - down_i + 2 s_i up_i + 2 (1 - s_i) down_i) - ridge / 2 |w|^2,  s_i = sigmoid(w . J_i),
/// J the encoder's Jacobian midway between the two images. Returns for each pixel the probability that an extreme
/// move went up: `certainty` where w . J_i > 0, 1 - certainty where it is < 0. It is the most probable direction as a
/// whole and not the pixels' own averages: those would leave a paler copy of the attack, this leaves pixels that are
/// wrong one by one, which a code does not mind. Empty where there is no direction: w of every second pixel must make
/// the others more probable by `evidence`. Costs an encoder pass forth and back for each of `latents`.
std::vector<float> attack_direction(const models::Vae& vae, const AttackedImage& attacked,
                                    std::span<const energy::ExtremeMove> moves, const DirectionOptions& options = {});

}  // namespace vaeguard::defences
