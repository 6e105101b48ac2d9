// vaeguard import: a VAE from ONNX files, as a checkpoint.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "apps/cli/choice_options.h"
#include "apps/cli/verbs.h"
#include "vaeguard/base/error.h"
#include "vaeguard/importers/onnx_import.h"
#include "vaeguard/importers/vae_import.h"
#include "vaeguard/models/checkpoint.h"

namespace vaeguard::cli {
namespace {

constexpr std::string_view kPlace = "vaeguard import";

struct ImportVerb {
  std::string encoder;
  std::string decoder;
  WrittenOptions likelihood;
  std::string layout = "automatic";
  std::string decoder_gives = "automatic";
  std::vector<std::string> encoder_outputs;
  std::string decoder_output;
  std::string image;
  std::vector<double> pixels{0.0, 1.0};
  std::vector<double> encoder_pixels;
  std::string out = "model.safetensors";
};

// "1x28x28"
ImageShape shape_of(const std::string& text) {
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
    misuse(kPlace, "--image must be channels x rows x columns, such as 1x28x28, got '{}'", text);
  }
  return {extents[0], extents[1], extents[2]};
}

// The enumerator of a name, which the command line has checked.
template <typename Enumeration>
Enumeration named(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<Enumeration>(std::ranges::find(names, name) - names.begin());
}

importers::ImportOptions options_of(const ImportVerb& verb) {
  importers::ImportOptions options;
  options.likelihood = *choice_of(verb.likelihood, models::likelihood_schema(), kPlace);
  options.layout = named<importers::EncoderLayout>(importers::layout_names(), verb.layout);
  options.decoder_output = named<importers::DecoderOutput>(importers::decoder_output_names(), verb.decoder_gives);
  options.encoder_outputs = verb.encoder_outputs;
  options.decoder_name = verb.decoder_output;
  if (!verb.image.empty()) {
    options.image = shape_of(verb.image);
  }
  options.pixels = {verb.pixels[0], verb.pixels[1]};
  if (!verb.encoder_pixels.empty()) {
    options.encoder_pixels = {{verb.encoder_pixels[0], verb.encoder_pixels[1]}};
  }
  return options;
}

void import_model(const ImportVerb& verb) {
  auto [vae, summary] =
      importers::import_vae(std::filesystem::path(verb.encoder), std::filesystem::path(verb.decoder), options_of(verb));
  const models::Checkpoint checkpoint{
      .vae = std::move(vae),
      .classifier = std::nullopt,
      .metadata = {{"imported_encoder", std::filesystem::path(verb.encoder).filename().string()},
                   {"imported_decoder", std::filesystem::path(verb.decoder).filename().string()}}};
  // What cannot be read again is not written.
  static_cast<void>(models::from_safetensors(models::to_safetensors(checkpoint), kPlace));
  models::save_checkpoint(checkpoint, verb.out);
  for (const auto& [word, line] : summary) {
    fmt::print("{:<11} {}\n", word, line);
  }
  fmt::print("{}\n", verb.out);
}

}  // namespace

void add_import(CLI::App& program, Common& /*common*/) {
  auto* app = program.add_subcommand("import", "Make a checkpoint of a VAE whose encoder and decoder are ONNX files");
  auto verb = std::make_shared<ImportVerb>();
  app->add_option("--encoder", verb->encoder, "Image [N, C, H, W] -> mean and log-variance (onnx)")->required();
  app->add_option("--decoder", verb->decoder, "Latent code [N, D] -> image (onnx)")->required();
  add_choice(*app, verb->likelihood, models::likelihood_schema(), "what the model was trained with")->required();
  app->add_option("--layout", verb->layout,
                  "Of the encoder's outputs. separate: two, means and log-variances; together: one, all means first; "
                  "interleaved: one, in turns; automatic: separate or together, by their number")
      ->capture_default_str()
      ->check(CLI::IsMember(importers::layout_names()));
  app->add_option(
         "--encoder-outputs", verb->encoder_outputs,
         "Names of the encoder's outputs, the means' first, where the file has others too or goes on after them")
      ->delimiter(',');
  app->add_option("--decoder-output", verb->decoder_output,
                  "Name of the decoder's output, where the file has others or goes on after it");
  app->add_option("--decoder-gives", verb->decoder_gives,
                  "logits, or mean (a last sigmoid belongs to the file); automatic: mean if it ends with a sigmoid or "
                  "the likelihood is on means")
      ->capture_default_str()
      ->check(CLI::IsMember(importers::decoder_output_names()));
  app->add_option("--image", verb->image,
                  "Channels x rows x columns, such as 1x28x28, where both files have flat images");
  app->add_option(
         "--pixels", verb->pixels,
         "What the files call black and white, such as -1,1 (default 0,1); --variance is that of pixels from 0 "
         "to 1 all the same")
      ->delimiter(',')
      ->expected(2);
  app->add_option("--encoder-pixels", verb->encoder_pixels,
                  "The same of the encoder alone, where it was given normalised images: (0 - mean) / deviation and "
                  "(1 - mean) / deviation")
      ->delimiter(',')
      ->expected(2);
  app->add_option("--out", verb->out, "Checkpoint to write")->capture_default_str();
  app->footer(
      fmt::format("Example: vaeguard import --encoder encoder.onnx --decoder decoder.onnx --likelihood bernoulli\n"
                  "Operations: {}",
                  fmt::join(importers::importable_operations(), ", ")));
  app->callback([verb] { import_model(*verb); });
}

}  // namespace vaeguard::cli
