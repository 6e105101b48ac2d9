// What must be said of a model from outside, because its files do not: its likelihood, and how it gives its numbers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/models/likelihood.h"

namespace vaeguard::importers {

/// How an encoder gives D means and D log-variances.
enum class EncoderLayout {
  automatic,    // separate where there are two outputs, together where there is one
  separate,     // two outputs of D values: means, log-variances
  together,     // one output: all means, then all log-variances
  interleaved,  // one output: the mean of a latent, then its log-variance, then those of the next
};

/// What a decoder gives for each pixel. A likelihood on logits (Bernoulli) is given logits, one on means (Gaussian,
/// Laplace) means.
enum class DecoderOutput {
  automatic,  // means where its last operation is a sigmoid or the likelihood is on means, else logits
  logits,
  mean,
};

/// What a model calls black and white; pixels here are from 0 to 1.
struct PixelRange {
  double darkest = 0.0;
  double brightest = 1.0;

  bool operator==(const PixelRange&) const = default;
};

struct ImportOptions {
  models::Likelihood likelihood = models::bernoulli();
  EncoderLayout layout = EncoderLayout::automatic;
  DecoderOutput decoder_output = DecoderOutput::automatic;
  std::vector<std::string> encoder_outputs{};  // names, means first; empty: all that the file has
  std::string decoder_name{};                  // of the decoder's output; empty: the only one
  std::optional<ImageShape> image{};           // where the files do not say it
  PixelRange pixels{};                         // of both files
  std::optional<PixelRange> encoder_pixels{};  // of the encoder's, where it was given normalised images

  /// Of the images that the encoder takes.
  [[nodiscard]] PixelRange range_given() const { return encoder_pixels.value_or(pixels); }
  /// Throws Misuse that names `place` if pixels have no range, or one that the likelihood cannot have.
  void validate(std::string_view place) const;
};

/// Words for options, in the order of the enumerators.
std::vector<std::string> layout_names();
std::vector<std::string> decoder_output_names();

/// For summaries, a line for each file whose pixels are not from 0 to 1.
std::vector<std::pair<std::string, std::string>> pixel_lines(const ImportOptions& options);
/// "in two outputs"; `layout` is not automatic.
std::string_view words_of(EncoderLayout layout);
/// "1 x 28 x 28".
std::string text_of(const ImageShape& shape);
/// Whether decoders of this likelihood give logits.
bool takes_logits(const models::Likelihood& likelihood);

}  // namespace vaeguard::importers
