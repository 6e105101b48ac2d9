// From the words of a command line to options of import.
#include "apps/cli/pair_options.h"

#include <algorithm>
#include <charconv>

#include "vaeguard/base/error.h"

namespace vaeguard::cli {
namespace {

// "1x28x28"
ImageShape shape_of(const std::string& text, std::string_view place) {
  std::vector<std::int64_t> extents;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    std::int64_t extent = 0;
    const auto [next, error] = std::from_chars(at, end, extent);
    if (error != std::errc() || extent < 1 || extent > (1 << 14) || (next != end && *next != 'x')) {
      break;
    }
    extents.push_back(extent);
    at = next == end ? end : next + 1;
  }
  if (extents.size() != 3 || at != end || text.ends_with('x')) {
    misuse(place, "--image must be channels x rows x columns, such as 1x28x28, got '{}'", text);
  }
  return {extents[0], extents[1], extents[2]};
}

// The enumerator of a name, which the command line has checked.
template <typename Enumeration>
Enumeration named(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<Enumeration>(std::ranges::find(names, name) - names.begin());
}

}  // namespace

CLI::Option* add_pair_options(CLI::App& app, WrittenPair& pair, std::string_view when) {
  CLI::Option* likelihood =
      add_choice(app, pair.likelihood, models::likelihood_schema(), "what the model was trained with");
  app.add_option("--layout", pair.layout,
                 "Of the encoder's outputs. separate: two, means and log-variances; together: one, all means first; "
                 "interleaved: one, in turns; automatic: separate or together, by their number")
      ->capture_default_str()
      ->check(CLI::IsMember(importers::layout_names()));
  app.add_option(
         "--encoder-outputs", pair.encoder_outputs,
         "Names of the encoder's outputs, the means' first, where the file has others too or goes on after them")
      ->delimiter(',');
  app.add_option("--decoder-output", pair.decoder_output,
                 "Name of the decoder's output, where the file has others or goes on after it");
  app.add_option("--decoder-gives", pair.decoder_gives,
                 "logits, or mean (a last sigmoid belongs to the file); automatic: mean if it ends with a sigmoid or "
                 "the likelihood is on means")
      ->capture_default_str()
      ->check(CLI::IsMember(importers::decoder_output_names()));
  app.add_option("--image", pair.image, fmt::format("Channels x rows x columns, such as 1x28x28, {}", when));
  app.add_option("--pixels", pair.pixels,
                 "What the files call black and white, such as -1,1 (default 0,1); --variance is that of pixels from 0 "
                 "to 1 all the same")
      ->delimiter(',')
      ->expected(2);
  app.add_option("--encoder-pixels", pair.encoder_pixels,
                 "The same of the encoder alone, where it was given normalised images: (0 - mean) / deviation and "
                 "(1 - mean) / deviation")
      ->delimiter(',')
      ->expected(2);
  return likelihood;
}

importers::ImportOptions import_options(const WrittenPair& pair, std::string_view place) {
  importers::ImportOptions options;
  options.likelihood = *choice_of(pair.likelihood, models::likelihood_schema(), place);
  options.layout = named<importers::EncoderLayout>(importers::layout_names(), pair.layout);
  options.decoder_output = named<importers::DecoderOutput>(importers::decoder_output_names(), pair.decoder_gives);
  options.encoder_outputs = pair.encoder_outputs;
  options.decoder_name = pair.decoder_output;
  if (!pair.image.empty()) {
    options.image = shape_of(pair.image, place);
  }
  options.pixels = {pair.pixels[0], pair.pixels[1]};
  if (!pair.encoder_pixels.empty()) {
    options.encoder_pixels = {{pair.encoder_pixels[0], pair.encoder_pixels[1]}};
  }
  return options;
}

}  // namespace vaeguard::cli
