// The direction of an attack, learned from pixels whose true value is nearly known, for all other pixels.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/energy/channel.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::defences {

struct DirectionOptions {
  std::int64_t latents = 32;  // the latents whose means moved farthest
  double ridge = 0.3;         // on weights of features that have norm 1 at the average pixel
  double evidence = 3.0;      // log-likelihood in nats that held-out pixels must gain; otherwise there is no direction
  double certainty = 0.99;    // probability that a move went in that direction
};

/// One attacked image and its repair.
struct AttackedImage {
  std::span<const float> image;       // [C*H*W] as observed
  std::span<const float> true_image;  // [C*H*W] as it probably was before the attack
  std::span<const float> shift;  // [D] between the means of their encodings, in standard deviations of the latter's
};

/// An attack that follows the gradient of any goal on the code's mean, g(mean(x)), moves pixel i in the direction of
/// the sign of sum_k w_k d mean_k / d x_i with w = dg / d mean. For pixels whose true value is nearly known, as in a
/// saturated background, `moves` show that sign; w maximises their penalised likelihood
///     sum_i log(1 - up_i - down_i + 2 s_i up_i + 2 (1 - s_i) down_i) - ridge / 2 |w|^2,  s_i = sigmoid(w . J_i),
/// J the encoder's Jacobian midway between the two images. Returns for each pixel the probability that an extreme move
/// went up: `certainty` if w . J_i > 0, 1 - certainty if it is < 0. The most probable direction as a whole is used, not
/// each pixel's own average: averages would leave a weaker copy of the attack, whereas single wrong pixels cancel in
/// the code. Empty if there is no direction: w fitted on each half of the pixels must make the other half more
/// probable, by `evidence` in total. Costs an encoder pass forward and backward for each of `latents`.
std::vector<float> attack_direction(const models::Vae& vae, const AttackedImage& attacked,
                                    std::span<const energy::ExtremeMove> moves, const DirectionOptions& options = {});

}  // namespace vaeguard::defences
