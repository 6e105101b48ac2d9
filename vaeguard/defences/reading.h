// The observation model of a defence: the image itself, the best image in a ball, or an attack channel.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "vaeguard/base/option_schema.h"
#include "vaeguard/base/scalar_field.h"
#include "vaeguard/energy/channel.h"
#include "vaeguard/energy/observation.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::defences {

/// What measurements say against defences that take the image for what it is.
inline constexpr std::string_view kExactCaution =
    "On coloured digits attacked images can end worse off than undefended: the posterior of the attacked image has "
    "other modes, of other classes.";

enum class Reading { exact, minimum, channel, directed };

struct ReadingOptions {
  Reading reading = Reading::exact;
  energy::BallNorm norm = energy::BallNorm::linf;  // of the minimum's ball
  double radius = 0.0;                             // of ball or channel; 0 to find it for each image
  double largest_radius = 0.3;                     // that may be found
  bool of_attack = false;                          // the defender is told the attack's radius: it becomes `radius`
};

/// The options as plans write them; `radius` may be the word "attack".
const OptionSchema<ReadingOptions>& reading_schema();

/// Throws Misuse naming the option.
void validate(const ReadingOptions& options);

/// What encoder and pixel law alone make of images: neither gradient nor chain.
struct Repaired {
  Matrix images;                          // [B, C*H*W] as they probably were before the attack
  models::Encoding encoding;              // [B, D] of those
  std::vector<energy::Channel> channels;  // [B] what was done to them

  /// Radius of each image's ball, [B]: that of options where it is given, else what was found; 0 for an image that was
  /// left alone.
  [[nodiscard]] std::vector<double> radii(const ReadingOptions& options) const;
  /// Share of each image's pixels that were touched, [B].
  [[nodiscard]] std::vector<double> touched() const;
};

/// Alternates between the true image expected of a latent code through the channel and the code that the encoder gives
/// it, `passes` times: expectation maximisation in which the encoder takes the place of the posterior. The first image
/// is expected from the pixels' histogram alone, since the attack has spoilt the code. Costs passes + 1 encodings and
/// `passes` decodings. Where options.reading is Reading::directed, images that were touched then get the direction of
/// the attack (attack_direction.h) and all two passes more; other readings do not matter. Throws Misuse where the VAE
/// has no pixel law.
Repaired repair(const models::Vae& vae, const Matrix& images, const ReadingOptions& options, int passes, int threads);

/// An energy over latent codes of the images.
struct Problem {
  Matrix images;                                           // [B, C*H*W] to encode for a start: repaired where that is
                                                           // part of the reading, else as they came
  std::shared_ptr<const energy::Observation> observation;  // null for Reading::exact
  std::unique_ptr<ScalarField> energy;
  std::vector<double> radii;    // [B]; empty for Reading::exact
  std::vector<double> touched;  // [B] share of the pixels that were; empty where no channel was fitted
};
/// B functions in images' order, each image's `copies` times in a row: one for each of its chains.
Problem read_images(const models::Vae& vae, const Matrix& images, const ReadingOptions& options, int threads,
                    std::int64_t copies = 1);

/// The images expected of latent codes [B, D] under `observation`; rows first .. of its images.
Matrix expected_images(const models::Vae& vae, const energy::Observation& observation, std::int64_t first,
                       const Matrix& latents, int threads = 1);

}  // namespace vaeguard::defences
