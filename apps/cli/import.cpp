// vaeguard import: a VAE from ONNX files, as a checkpoint.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/cli/pair_options.h"
#include "apps/cli/verbs.h"
#include "vaeguard/importers/onnx_import.h"
#include "vaeguard/importers/vae_import.h"
#include "vaeguard/models/checkpoint.h"

namespace vaeguard::cli {
namespace {

constexpr std::string_view kPlace = "vaeguard import";

struct ImportVerb {
  std::string encoder;
  std::string decoder;
  WrittenPair pair;
  std::string out = "model.safetensors";
};

void import_model(const ImportVerb& verb) {
  auto [vae, summary] = importers::import_vae(std::filesystem::path(verb.encoder), std::filesystem::path(verb.decoder),
                                              import_options(verb.pair, kPlace));
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
  add_pair_options(*app, verb->pair, "where both files have flat images")->required();
  app->add_option("--out", verb->out, "Checkpoint to write")->capture_default_str();
  app->footer(
      fmt::format("Example: vaeguard import --encoder encoder.onnx --decoder decoder.onnx --likelihood bernoulli\n"
                  "Operations: {}",
                  fmt::join(importers::importable_operations(), ", ")));
  app->callback([verb] { import_model(*verb); });
}

}  // namespace vaeguard::cli
