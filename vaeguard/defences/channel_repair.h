// Repair by encoder and pixel law: images as they probably were before an attack, and the channel that it was.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/defences/radius.h"
#include "vaeguard/energy/channel.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::defences {

/// What is to be expected of defences that estimate an attack's radius from the image.
inline constexpr std::string_view kChannelCaution =
    "Looks for saturated pixels that an attack has moved: one that spares them gets past. Where few pixels are "
    "saturated, as on photographs, the image is read under Gaussian noise instead.";

/// How the channel of each image is found.
struct ChannelFit {
  Radius radius = {};
  bool directed = false;  // images that were touched get the direction of the attack (attack_direction.h), too

  [[nodiscard]] bool knows_radius() const { return radius.of_attack; }
  [[nodiscard]] ChannelFit told(double attack_radius) const { return {radius.told(attack_radius), directed}; }
};

/// The options as plans write them.
const OptionSchema<ChannelFit>& channel_fit_schema();

/// What encoder and pixel law alone make of images: neither gradient nor chain.
struct Repaired {
  Matrix images;                                      // [B, C*H*W] as they probably were before the attack
  models::Encoding encoding;                          // [B, D] of those
  std::vector<energy::Channel> channels;              // [B] what was done to them
  std::shared_ptr<const energy::ChannelModel> model;  // of the VAE's pixel law, of which the channels are

  /// Radius of each image's ball, [B]: the given one, else what was found; 0 for an image that was left alone.
  [[nodiscard]] std::vector<double> radii(const Radius& radius) const;
  /// Share of each image's pixels that were touched, [B].
  [[nodiscard]] std::vector<double> touched() const;
};

/// Passes of repair() before a posterior is explored.
inline constexpr int kPassesBeforePosterior = 8;

/// Alternates between the true image expected of a latent code through the channel and the code that the encoder gives
/// it, `passes` times: expectation maximisation in which the encoder takes the place of the posterior. The first image
/// is expected from the pixels' histogram alone, since the attack has spoilt the code. Costs passes + 1 encodings and
/// `passes` decodings, and two more of each where directions are found. Throws Misuse where the VAE has no pixel law.
Repaired repair(const models::Vae& vae, const Matrix& images, const ChannelFit& fit, int passes, int threads);

}  // namespace vaeguard::defences
