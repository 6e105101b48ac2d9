// Words and checks that all ways to import share.
#include "vaeguard/importers/import_options.h"

#include <fmt/format.h>

#include <cmath>

#include "vaeguard/base/error.h"

namespace vaeguard::importers {

void ImportOptions::validate(std::string_view place) const {
  for (const auto& [darkest, brightest] : {pixels, range_given()}) {
    if (!std::isfinite(darkest) || !std::isfinite(brightest) || darkest == brightest) {
      misuse(place, "black and white must be two numbers, got {} and {}", darkest, brightest);
    }
  }
  if (pixels != PixelRange{} && takes_logits(likelihood)) {
    misuse(place,
           "pixels from {} to {} need a likelihood on means, such as gaussian; {} is on logits. Where only the encoder "
           "takes such pixels, say so of it alone (encoder pixels)",
           pixels.darkest, pixels.brightest, likelihood.name());
  }
}

std::vector<std::string> layout_names() { return {"automatic", "separate", "together", "interleaved"}; }

std::vector<std::string> decoder_output_names() { return {"automatic", "logits", "mean"}; }

std::vector<std::pair<std::string, std::string>> pixel_lines(const ImportOptions& options) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const auto& [file, range] :
       {std::pair("decoder", options.pixels), std::pair("encoder", options.range_given())}) {
    if (range != PixelRange{}) {
      lines.emplace_back("pixels", fmt::format("from {} to {} in the {}'s file, from 0 to 1 here", range.darkest,
                                               range.brightest, file));
    }
  }
  return lines;
}

std::string_view words_of(EncoderLayout layout) {
  switch (layout) {
    case EncoderLayout::separate:
      return "in two outputs";
    case EncoderLayout::interleaved:
      return "interleaved";
    default:
      return "one after the other";
  }
}

std::string text_of(const ImageShape& shape) {
  return fmt::format("{} x {} x {}", shape.channels, shape.height, shape.width);
}

// Their means stay within those of a probability.
bool takes_logits(const models::Likelihood& likelihood) {
  const std::vector<float> parameters{-40.0F, 40.0F};
  std::vector<float> means(2);
  likelihood.mean(parameters, means);
  return means[0] >= 0.0F && means[1] <= 1.0F;
}

}  // namespace vaeguard::importers
